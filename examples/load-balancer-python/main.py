"""An example of an internal service in another language: keeps one reserved address on a load balancer that is well,
with Temporal and nothing else. It is configured by the same variables as the example in TypeScript.

SIGTERM ends it and leaves the address where it is; SIGUSR2 gives the address back first. One process for one state file.
"""

import asyncio
import logging
import os
import signal
import sys

from temporalio.client import Client, TLSConfig

from controller import Controller
from health import HealthChecks, Node
from reserved_ips import ReservedIps


def node_of(text: str) -> Node:
    droplet_id, url = text.strip().split("=", 1)
    return Node(droplet_id=int(droplet_id), health_url=url)


def tls_of(environment: dict[str, str]) -> TLSConfig | bool:
    files = [environment.get(f"TEMPORAL_TLS_{name}") for name in ("CA", "CERT", "KEY")]
    if not any(files):
        return environment.get("TEMPORAL_TLS") == "true"
    authority, certificate, key = [open(path, "rb").read() if path else None for path in files]
    return TLSConfig(server_root_ca_cert=authority, client_cert=certificate, client_private_key=key)


async def main(environment: dict[str, str]) -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stopping.set)
    # The connection is made with the first call, so that a Temporal that is down delays the start only.
    temporal = await Client.connect(
        environment["TEMPORAL_ADDRESS"],
        namespace=environment.get("TEMPORAL_NAMESPACE", "default"),
        tls=tls_of(environment),
        lazy=True,
    )
    controller = Controller(
        reserved_ips=ReservedIps(temporal, int(environment["ACCOUNT_ID"]), service="load-balancer-python"),
        health=HealthChecks(
            nodes=[node_of(text) for text in environment["NODES"].split(",")],
            timeout_s=int(environment.get("CHECK_TIMEOUT_MS", "500")) / 1000,
            failures_needed=int(environment.get("FAILURES_NEEDED", "3")),
        ),
        state_file=environment["STATE_FILE"],
        region=environment["REGION"],
        reserved_ip=environment.get("RESERVED_IP"),
    )
    loop.add_signal_handler(signal.SIGUSR2, controller.release)
    logging.info("started")
    pause_s = int(environment.get("CHECK_EVERY_MS", "1000")) / 1000
    stopped = asyncio.ensure_future(stopping.wait())
    while not stopping.is_set() and not controller.released:
        # A step that waits for a host is not waited for when the process is to end: the next one takes it up.
        await asyncio.wait({asyncio.ensure_future(controller.round()), stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not controller.released:
            await asyncio.wait({stopped}, timeout=pause_s)
    logging.info("the address was given back" if controller.released else "stopped")


if __name__ == "__main__":
    asyncio.run(main(dict(os.environ)))
