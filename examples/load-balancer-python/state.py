"""What the controller remembers over its own end: the same file as that of the example in TypeScript."""

import json
import os
from typing import Any, Literal, TypedDict


class State(TypedDict):
    # None before it is reserved.
    address: str | None
    # The droplet that the address was last brought to; None before.
    activeDropletId: int | None
    # One operation under the id that it keeps however often it is started. Written before it is started and taken out
    # when it is over, so a step that is here may have happened or not.
    pending: dict[str, Any] | None
    # Once the address is released there is nothing more to do, and no second one is reserved.
    phase: Literal["keeping", "releasing", "released"]


def read_state(path: str) -> State | None:
    """None when there is no file. One that cannot be read is an error: to begin anew would reserve again."""
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    except FileNotFoundError:
        return None
    return State(
        address=kept["address"],
        activeDropletId=kept["activeDropletId"],
        pending=kept["pending"],
        phase=kept["phase"],
    )


def write_state(path: str, state: State) -> None:
    """On the disk when it returns; a crash in between leaves the former state whole."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{path}.new", path)
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
