"""The emergency network driver: what whoever runs a simulated network can do to it, and what it tells of its calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from harness.drivers.controlled import ControlledSimulator
from harness.endpoints.control_link import EMERGENCY
from harness.errors import DriverError
from harness.transport.context import Context

_OPERATORS: Final = ("automatic", "answer_s", "listen_s", "speak_s", "stay_s")
"""What `EmergencyNetwork.set_operators` changes."""


class EmergencyNetwork(ControlledSimulator):
    """A simulated emergency network, as whoever runs it sees it.

    Events, under the component's name, are the network's own: ``call.waiting``, ``call.operator``,
    ``call.announcement``, ``silent.heard``, ``call.connecting`` {route, attempt}, ``call.not_connected`` {result},
    ``call.connected``, ``caller.held``, ``caller.restored``, ``operator.left``, ``call.ended`` {outcome},
    ``ring_back.…``, ``sms.…``, ``aml.…``, ``route.down``, ``spate.…`` and so on, each with its ``call``.
    """

    def __init__(self, context: Context, name: str, permit: Callable[[str], None]) -> None:
        super().__init__(context, name)
        self._permit = permit
        self._undo: dict[str, Callable[[], Awaitable[object]]] = {}
        """What puts back what was changed, by what it was: the next test has this network, too."""

    @classmethod
    async def open(
        cls, context: Context, name: str, *, control: str, token: str | None = None, permit: Callable[[str], None]
    ) -> EmergencyNetwork:
        """Connect to a network's control interface; ``permit`` is asked before it is told to call.

        Raises DriverError.
        """
        return await cls(context, name, permit)._connected(control, token)

    async def close(self) -> None:
        """Put back what was changed, and disconnect; again does nothing."""
        undo, self._undo = self._undo, {}
        for what, act in undo.items():
            try:
                await act()
            except DriverError as error:
                self._journal.warn(self.name, "not_put_back", what=what, reason=str(error))
        await super().close()

    # What it knows

    async def status(self) -> dict[str, Any]:
        """Calls by stage, who waits, operators, faults."""
        return dict(await self._link.ask("GET", "/status"))

    async def calls(self) -> list[dict[str, Any]]:
        """The calls that are up."""
        return list(await self._link.ask("GET", "/calls"))

    async def records(self, *, cli: str | None = None) -> list[dict[str, Any]]:
        """Call records, oldest first; of one number where it is named."""
        query = "" if cli is None else f"?cli={quote(cli, safe='')}"
        return list(await self._link.ask("GET", f"/records{query}"))

    async def record(self, call: str) -> dict[str, Any]:
        """One call's record. Raises DriverError where there is none."""
        return dict(await self._link.ask("GET", f"/records/{quote(call, safe='')}"))

    async def authorities(self) -> list[dict[str, Any]]:
        """Authorities, their routes, and whether those are up."""
        return list(await self._link.ask("GET", "/authorities"))

    # What is done to it

    async def set_operators(self, **how: Any) -> None:
        """Change how operators work: ``automatic`` (their number), ``answer_s`` and ``stay_s`` {least, most},
        ``listen_s``, ``speak_s``, ``stay_until_told``. Raises DriverError.
        """
        if "operators" not in self._undo:
            found = (await self.status())["operators"]
            before = {key: found[key] for key in _OPERATORS if found[key] is not None}
            before |= {"stay_until_told": True} if found["stay_s"] is None else {}
            self._undo["operators"] = lambda: self._link.ask("PUT", "/operators", before)
        self._journal.record(self.name, "network.operators", **how)
        await self._link.ask("PUT", "/operators", how)

    async def set_route(self, authority: str, route: str, **how: Any) -> None:
        """Change a route: ``to`` (``host:port``), ``number``, ``delayed_offer``, ``cut``. Raises DriverError."""
        self._journal.record(self.name, "network.route", authority=authority, route=route, **how)
        self._undo.pop(f"route {authority} {route}", None)
        if how.get("cut"):
            self._undo[f"route {authority} {route}"] = lambda: self.set_route(authority, route, cut=False)
        await self._link.ask("PUT", f"/authorities/{quote(authority, safe='')}/routes/{quote(route, safe='')}", how)

    async def fail(self, fault: str, *, seconds: float = 10.0, call: str | None = None) -> None:
        """Begin a fault: ``no_answer``, ``slow_answer``, ``drop_operator``, ``room_hears_nothing``,
        ``caller_hears_nothing``; for every call from now on, or at once for the ``call`` named. Raises DriverError.
        """
        self._journal.record(self.name, "network.failing", fault=fault, call=call)
        if call is None:
            self._undo[f"fault {fault}"] = lambda: self.recover(fault)
            await self._link.ask("PUT", f"/faults/{quote(fault, safe='')}", {"seconds": seconds})
        else:
            await self._link.ask("POST", f"/calls/{quote(call, safe='')}/fault", {"fault": fault})

    async def recover(self, fault: str) -> None:
        """End a fault. Raises DriverError."""
        self._undo.pop(f"fault {fault}", None)
        self._journal.record(self.name, "network.recovering", fault=fault)
        await self._link.ask("DELETE", f"/faults/{quote(fault, safe='')}")

    async def start_spate(self, calls: int, seconds: float, **how: Any) -> str:
        """Let a crowd call: ``shape``, ``callers``, ``talk_s``, ``abandon_s``, ``seed``; returns the spate's id.

        Raises InterlockError (nothing has left then), DriverError.
        """
        self._permit(EMERGENCY)
        self._journal.record(self.name, "network.spate", calls=calls, seconds=seconds, **how)
        told = {"calls": calls, "seconds": seconds, **how}
        spate = str((await self._link.ask("POST", "/spates", told))["spate"])
        self._undo[f"spate {spate}"] = lambda: self.end_spate(spate)
        return spate

    async def spate(self, spate: str) -> dict[str, Any]:
        """A spate's figures. Raises DriverError."""
        return dict(await self._link.ask("GET", f"/spates/{quote(spate, safe='')}"))

    async def end_spate(self, spate: str) -> None:
        """End a spate: its callers hang up. Raises DriverError."""
        self._undo.pop(f"spate {spate}", None)
        await self._link.ask("DELETE", f"/spates/{quote(spate, safe='')}")

    async def end_call(self, call: str) -> None:
        """End a call on every side. Raises DriverError."""
        await self._link.ask("POST", f"/calls/{quote(call, safe='')}/end")
