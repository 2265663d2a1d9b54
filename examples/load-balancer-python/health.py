"""How the load balancers are."""

import asyncio
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """A load balancer that may hold the address; its health URL answers 2xx while it is well."""

    droplet_id: int
    health_url: str


class HealthChecks:
    """Asks every node how it is, and remembers how often in a row it gave no good answer."""

    def __init__(self, nodes: list[Node], timeout_s: float, failures_needed: int) -> None:
        self._nodes = nodes
        self._timeout_s = timeout_s
        self._failures_needed = failures_needed
        self._failures: dict[int, int] = {}

    async def check(self) -> None:
        answers = await asyncio.gather(*(asyncio.to_thread(self._is_well, node) for node in self._nodes))
        for node, well in zip(self._nodes, answers):
            self._failures[node.droplet_id] = 0 if well else self._failures.get(node.droplet_id, 0) + 1

    def is_down(self, droplet_id: int) -> bool:
        """One lost answer is no reason to move an address. A droplet that is no node any more is down."""
        return self._failures.get(droplet_id, self._failures_needed) >= self._failures_needed

    def first_well(self) -> Node | None:
        """The first node whose last answer was good."""
        return next((node for node in self._nodes if self._failures.get(node.droplet_id) == 0), None)

    def _is_well(self, node: Node) -> bool:
        try:
            with urllib.request.urlopen(node.health_url, timeout=self._timeout_s) as answer:
                return 200 <= answer.status < 300
        except OSError:
            return False
