"""Keeps one reserved address on a load balancer that is well."""

import logging
from typing import Any

from health import HealthChecks
from reserved_ips import Outcome, ReservedIps, Undone, new_operation_id
from state import State, read_state, write_state

logger = logging.getLogger("load-balancer")


class Controller:
    """Takes one step at a time, and writes each down before it starts it. When it is killed, or a step's answer is lost,
    it starts the same step again under the same id: Temporal and the control plane carry out one operation for one id,
    and give each who asks the same decision."""

    def __init__(
        self, reserved_ips: ReservedIps, health: HealthChecks, state_file: str, region: str, reserved_ip: str | None
    ) -> None:
        self._reserved_ips = reserved_ips
        self._health = health
        self._state_file = state_file
        self._region = region
        kept = read_state(state_file)
        if kept and kept["address"] and reserved_ip and kept["address"] != reserved_ip:
            raise ValueError(f"the state file is about {kept['address']}, and not about {reserved_ip}")
        self._state = kept or State(address=reserved_ip, activeDropletId=None, pending=None, phase="keeping")

    @property
    def released(self) -> bool:
        """Whether the address was given back, after which there is nothing to do."""
        return self._state["phase"] == "released"

    def release(self) -> None:
        """Has the address given back in the next round."""
        if self._state["phase"] == "keeping":
            self._note(phase="releasing")

    async def round(self) -> None:
        """Looks at the nodes and does what is to be done now, if anything. Does not raise: the next round tries again."""
        await self._health.check()
        step = self._state["pending"] or self._next_step()
        if step is None:
            return
        self._note(pending=step)
        logger.info("step begins: %s", step)
        try:
            outcome = await self._start(step)
        except Undone as error:
            logger.warning("%s did not happen: %s", step, error)
            self._note(pending=None)
        except Exception:
            # It may have been carried out or not. It stays in the state, and the next round repeats it.
            logger.warning("what became of %s is not known", step, exc_info=True)
        else:
            self._note(pending=None, **_effect_of(step, outcome))
            logger.info("step is over: %s", outcome)

    def _next_step(self) -> dict[str, Any] | None:
        address, active, phase = self._state["address"], self._state["activeDropletId"], self._state["phase"]
        step = {"operationId": new_operation_id()}
        if phase == "released":
            return None
        if phase == "releasing":
            if address is not None:
                return {"kind": "release", **step}
            self._note(phase="released")
            return None
        if address is None:
            return {"kind": "reserve", **step}
        if active is not None and not self._health.is_down(active):
            return None
        node = self._health.first_well()
        # With no node that is well the address stays where it is: nothing would be gained.
        if node is None or node.droplet_id == active:
            return None
        return {"kind": "assign", "dropletId": node.droplet_id, **step}

    async def _start(self, step: dict[str, Any]) -> Outcome:
        if step["kind"] == "reserve":
            return await self._reserved_ips.reserve(step["operationId"], self._region)
        address = self._state["address"]
        if address is None:
            raise RuntimeError("there is no address yet")
        if step["kind"] == "assign":
            return await self._reserved_ips.assign(step["operationId"], address, step["dropletId"])
        return await self._reserved_ips.release(step["operationId"], address)

    def _note(self, **change: Any) -> None:
        self._state.update(change)  # type: ignore[typeddict-item]
        write_state(self._state_file, self._state)


def _effect_of(step: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """What is so when the step is over. A refusal changes nothing, but two say that what was asked for is so already."""
    done = outcome.refusal is None
    if step["kind"] == "reserve":
        return {"address": outcome.address} if done else {}
    if step["kind"] == "assign":
        return {"activeDropletId": step["dropletId"]} if done or outcome.refusal == "already_assigned" else {}
    return {"phase": "released"} if done or outcome.refusal == "address_not_found" else {}
