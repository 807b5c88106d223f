"""The supervisor's driver: wallboard, call records, who is to be called back, trunks, as the ICCS shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any, Literal
from urllib.parse import quote

import httpx

from harness.errors import DriverError, ExpectationError
from harness.transport.context import Context
from harness.transport.https import http_client

ANSWERS_WITHIN = 5.0
"""Seconds within which the control interface answers a request."""
LOOKS_EVERY = 0.25
"""Seconds between two looks at the wallboard while a figure is waited for."""

AUDIT_SHOWN = 1_000
"""Newest entries of the audit record that are looked through."""

Fault = Literal["down", "refusing", "slow", "one_way"]


class Supervisor:
    """One supervisor's view of one ICCS, through its control interface; nobody needs to be logged in."""

    def __init__(self, context: Context, name: str, http: httpx.AsyncClient) -> None:
        self.name = name
        self._journal = context.journal
        self._http = http

    @classmethod
    def open(cls, context: Context, name: str, *, control: str, token: str | None = None) -> Supervisor:
        """Look at the ICCS whose control interface is ``control`` (``http://host:port``)."""
        return cls(context, name, http_client(control, timeout=ANSWERS_WITHIN, token=token))

    async def close(self) -> None:
        """Look no more; twice is once."""
        await self._http.aclose()

    # What is shown

    async def wallboard(self) -> dict[str, Any]:
        """Return each queue's calls and figures, advisers by state and site, trunks; times in seconds."""
        return dict(await self._ask("GET", "wallboard"))

    async def queue(self, name: str) -> dict[str, Any]:
        """Return one queue's part of the wallboard. Raises DriverError where there is no such queue."""
        queues = (await self.wallboard())["queues"]
        if name not in queues:
            raise DriverError(f"{self.name}: the wallboard has no queue {name!r}; it has {', '.join(queues)}")
        return dict(queues[name])

    async def wait_for(self, queue: str, figure: str, value: Any, *, within: float) -> dict[str, Any]:
        """Return a queue's figures once one of them has a value. Raises DriverError telling what it is instead."""
        return await self._until(queue, figure, lambda seen: str(seen) == str(value), within, f", due {value}")

    async def recorders(self) -> dict[str, dict[str, Any]]:
        """Return each recorder, ``main`` and ``standby``: ``failed``, ``legs``, ``bytes``."""
        return dict(await self._ask("GET", "recorders"))

    async def fail_recorder(self, unit: str, *, failed: bool = True) -> None:
        """Let a simulated recorder fail, or work again. Raises DriverError where there is none of that name."""
        await self._ask("PUT", f"recorders/{quote(unit, safe='')}", body={"failed": failed})

    async def weed_recordings(self) -> list[str]:
        """Let go at once what is older than recordings are kept; return which legs."""
        return list((await self._ask("POST", "recorders/weed"))["weeded"])

    async def wait_until(
        self, queue: str, figure: str, *, least: float | None = None, most: float | None = None, within: float
    ) -> float:
        """Return a queue's figure once it is a number within the bounds. Raises DriverError telling what it is."""
        low, high = -inf if least is None else least, inf if most is None else most

        def fits(seen: Any) -> bool:
            return isinstance(seen, int | float) and low <= seen <= high

        shown = await self._until(queue, figure, fits, within, f"; due {low:g} to {high:g}")
        return float(shown[figure])

    async def _until(
        self, queue: str, figure: str, fits: Callable[[Any], bool], within: float, due: str
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within):
                while True:
                    shown = await self.queue(queue)
                    if figure not in shown:
                        raise DriverError(f"{self.name}: {queue} has no figure {figure!r}; it has {', '.join(shown)}")
                    if fits(shown[figure]):
                        return shown
                    await asyncio.sleep(LOOKS_EVERY)
        except TimeoutError:
            raise DriverError(
                f"{self.name}: {figure} of {queue} is {shown.get(figure)} after {within:g} s{due}"
            ) from None

    async def records(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the newest call records that fit, newest first.

        ``wanted``: ``cli``, ``queue``, ``outcome``, ``flag``, ``since``, ``until``, ``nuisance``, ``limit``.
        """
        return list(await self._ask("GET", "calls", params=wanted))

    async def record(self, name: str) -> dict[str, Any]:
        """Return all of one call record (``R-000001``). Raises DriverError where there is none of that name."""
        return dict(await self._ask("GET", f"calls/{quote(name, safe='')}"))

    async def ring_backs(self) -> list[dict[str, Any]]:
        """Return the emergency callers who gave up and were not rung back, the newest first."""
        return list(await self._ask("GET", "ring-backs"))

    async def callbacks(self) -> list[dict[str, Any]]:
        """Return the callers who are due to be called back, the longest waiting first."""
        return list(await self._ask("GET", "callbacks"))

    async def intervals(self) -> list[dict[str, Any]]:
        """Return what each queue saw in each quarter of an hour that is over, the oldest first.

        Each row: ``interval_start``, ``queue``, counts ``offered``, ``answered``, ``abandoned`` …, ``answer_ms`` (waits
        of the answered, together).
        """
        return list((await self._ask("GET", "workforce/intervals"))["rows"])

    async def reconciliation(self) -> dict[str, Any]:
        """Return which answered calls nothing accounts for, and what command and control has not (NICCS-INT-002)."""
        return dict(await self._ask("GET", "reconciliation"))

    async def directory(self) -> dict[str, Any]:
        """Return ``entries`` (how many), ``age_s``, what is ``stale`` and why, ``problems`` {line, why} of a file."""
        return dict(await self._ask("GET", "directory"))

    async def directory_read(self, *, within: float) -> None:
        """Return once the directory has been read. Raises DriverError telling why it could not be."""
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within):
                while (shown := await self.directory())["age_s"] is None:  # noqa: ASYNC110
                    await asyncio.sleep(LOOKS_EVERY)
        except TimeoutError:
            raise DriverError(f"{self.name}: no directory after {within:g} s: {shown.get('stale')}") from None

    async def all_told(self, *, within: float) -> None:
        """Return once nothing waits for command and control. Raises DriverError telling how much does."""
        waiting = 0
        try:
            async with asyncio.timeout(within):
                while waiting := (await self.reconciliation())["command_control"]["waiting"]:  # noqa: ASYNC110
                    await asyncio.sleep(LOOKS_EVERY)
        except TimeoutError:
            raise DriverError(
                f"{self.name}: {waiting} entries wait for command and control after {within:g} s"
            ) from None

    async def incident(self, name: str) -> dict[str, Any]:
        """Return an incident as this control room keeps it. Raises DriverError where there is none of that name."""
        return dict(await self._ask("GET", f"incidents/{quote(name, safe='')}"))

    async def trunks(self) -> dict[str, dict[str, Any]]:
        """Return every trunk by name: where it takes calls, its fault, whether its peer is in service."""
        return {str(each["trunk"]): dict(each) for each in await self._ask("GET", "trunks")}

    async def audit(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the entries of the audit record that have these values, oldest first.

        ``wanted``: ``position``, ``act``, ``target``, ``outcome`` (``done``, ``refused``), ``reason``.
        """
        entries = list(await self._ask("GET", "audit", params={"last": AUDIT_SHOWN}))
        return [dict(each) for each in entries if all(each.get(key) == value for key, value in wanted.items())]

    async def audit_trail(self) -> list[bytes]:
        """Return the audit trail's newest lines, oldest first, as `harness.protocols.audit_chain` verifies them."""
        return [f"{line}\n".encode() for line in await self._ask("GET", "audit/trail")]

    async def patches(self) -> list[dict[str, Any]]:
        """Return all patches between talkgroups, oldest first."""
        return list(await self._ask("GET", "patches"))

    async def alarms(self) -> list[dict[str, Any]]:
        """Return the alarms that stand, oldest first: ``alarm``, ``what``, ``raised`` (run time), what it is about."""
        return list(await self._ask("GET", "alarms"))

    async def emergencies(self) -> list[dict[str, Any]]:
        """Return the officers' emergencies that are open, oldest first."""
        return list(await self._ask("GET", "emergencies"))

    # What is done

    async def clear_alarm(self, alarm: str) -> None:
        """Take an alarm away. Raises DriverError when it does not stand."""
        self._journal.record(self.name, "alarm.clear", alarm=alarm)
        await self._ask("POST", f"alarms/{quote(alarm, safe='')}/clear")

    async def core_nodes(self) -> dict[str, str]:
        """Return what each core node does: ``serves``, ``stands by`` or ``dead``."""
        return {each["node"]: each["state"] for each in (await self._ask("GET", "core-nodes"))["nodes"]}

    async def serving_node(self) -> str:
        """Return the core node that serves. Raises ExpectationError where none does."""
        nodes = await self.core_nodes()
        found = next((node for node, state in nodes.items() if state == "serves"), None)
        if found is None:
            raise ExpectationError(f"{self.name}: no core node serves: {nodes}")
        return found

    async def kill_core_node(self, node: str) -> None:
        """Kill a core node of a simulated ICCS. Raises DriverError where there is none of that name, or it is dead."""
        self._journal.record(self.name, "core.killed", node=node)
        await self._ask("POST", f"core-nodes/{quote(node, safe='')}/kill")

    async def repair_core_node(self, node: str) -> None:
        """Have a dead core node stand by. Raises DriverError as `kill_core_node`."""
        self._journal.record(self.name, "core.repaired", node=node)
        await self._ask("POST", f"core-nodes/{quote(node, safe='')}/repair")

    async def begin_trunk_fault(self, trunk: str, fault: Fault, *, seconds: float = 5.0) -> None:
        """Begin a fault of a simulated trunk; ``seconds``: how long a ``slow`` one lets callers wait.

        Raises DriverError where there is no such trunk, or the ICCS makes no faults.
        """
        self._journal.record(self.name, "trunk.fault_begun", trunk=trunk, fault=fault)
        await self._ask("PUT", f"trunks/{quote(trunk, safe='')}/fault", body={"fault": fault, "seconds": seconds})

    async def end_trunk_fault(self, trunk: str) -> None:
        """End a trunk's fault. Raises DriverError as `begin_trunk_fault`."""
        self._journal.record(self.name, "trunk.fault_ended", trunk=trunk)
        await self._ask("DELETE", f"trunks/{quote(trunk, safe='')}/fault")

    async def _ask(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, body: dict[str, Any] | None = None
    ) -> Any:
        try:
            answer = await self._http.request(method, f"/v1/{path}", params=params, json=body)
            said = answer.json()
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: {path} got no answer: {type(error).__name__} {error}") from error
        except ValueError:
            raise DriverError(f"{self.name}: {path} was answered with no JSON: {answer.text[:200]}") from None
        if answer.is_error:
            detail = said.get("detail") if isinstance(said, dict) else said
            raise DriverError(f"{self.name}: {path} was refused with {answer.status_code}: {detail}")
        return said
