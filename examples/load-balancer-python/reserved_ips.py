"""The operations on reserved addresses, by the names and JSON that docs/protocols.md and docs/schemas document."""

import ipaddress
import os
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

TASK_QUEUE = "reserved-ip"
# Not admitted by then, an operation is refused for good. The clocks of all who take part must agree to well within it.
ADMISSION_WINDOW = timedelta(seconds=10)
# Longer than the window: within it there is a verdict, or there never will be one.
DECISION_TIMEOUT = timedelta(seconds=12)


class Undone(Exception):
    """The operation was admitted, failed at a host, and was undone."""


@dataclass(frozen=True)
class Outcome:
    """How an operation ended: with its address, or refused with the reason."""

    address: str | None
    refusal: str | None


class ReservedIps:
    """Starts operations for one account. Any other exception than Undone leaves open whether it happened: the caller
    starts the operation again under the same id, and is given the same verdict."""

    def __init__(self, temporal: Client, account_id: int, service: str) -> None:
        self._temporal = temporal
        self._account_id = account_id
        self._service = service

    async def reserve(self, operation_id: str, region: str) -> Outcome:
        fields = {"resourceType": "reserved_ip", "target": {"region": region, "dropletId": None}, "projectId": None}
        return await self._carry_out("reserve", f"reserve/{operation_id}", operation_id, fields)

    async def assign(self, operation_id: str, address: str, droplet_id: int) -> Outcome:
        return await self._on_address("assign", operation_id, address, {"dropletId": droplet_id})

    async def release(self, operation_id: str, address: str) -> Outcome:
        return await self._on_address("release", operation_id, address, {})

    async def _on_address(self, kind: str, operation_id: str, address: str, fields: dict[str, Any]) -> Outcome:
        # One spelling for every address, because the workflow id is made from it: the id is what keeps two operations
        # on one address apart.
        canonical = ipaddress.ip_address(address)
        resource_type = "reserved_ip" if canonical.version == 4 else "reserved_ipv6"
        fields = {"resourceType": resource_type, "address": str(canonical), **fields}
        return await self._carry_out(kind, f"reserved-ip/{canonical}", operation_id, fields)

    async def _carry_out(self, kind: str, workflow_id: str, operation_id: str, fields: dict[str, Any]) -> Outcome:
        requester = {"kind": "service", "name": self._service, "requestId": None, "remote": None}
        operation = {
            "id": operation_id,
            "kind": kind,
            "accountId": self._account_id,
            "admitBefore": _rfc3339(datetime.now(timezone.utc) + ADMISSION_WINDOW),
            "requestedBy": requester,
            **fields,
        }
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            kind,
            operation,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        try:
            # The operation's id as the update's id: a repetition is then answered by the operation itself while it is
            # open, and from the stored verdict when it is over.
            announced = await self._temporal.execute_update_with_start_workflow(
                "verdict", id=operation_id, start_workflow_operation=start, rpc_timeout=DECISION_TIMEOUT
            )
        except WorkflowAlreadyStartedError:
            return Outcome(address=None, refusal="address_pending")
        verdict = announced["verdict"]
        if verdict["kind"] == "refused":
            return Outcome(address=None, refusal=verdict["refusal"])
        handle = self._temporal.get_workflow_handle(workflow_id, run_id=announced["runId"])
        try:
            await handle.result()
        except WorkflowFailureError as error:
            # One that an operator terminated is not over: started again, it goes on.
            if isinstance(error.cause, ApplicationError):
                raise Undone(str(error.cause)) from error
            raise
        return Outcome(address=verdict["address"], refusal=None)


def new_operation_id() -> str:
    """A UUID of version 7, which begins with the time."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds << 80) | random
    value = (value & ~(0xF << 76)) | (7 << 76)
    value = (value & ~(0b11 << 62)) | (0b10 << 62)
    return str(uuid.UUID(int=value))


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
