"""Texts and statuses of an MCPTT handset, by MCData: sent, received, receipted and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from harness.drivers.mcptt_floor import KeyedHandset
from harness.errors import DriverError, McpttLocalError
from harness.journal import Event
from harness.protocols.mcdata.sds import Payload, Wanted

REPORT_S: Final = 30.0
"""Seconds within which a receipt is waited for."""
_S = TypeVar("_S", int, str)


class TextingHandset(KeyedHandset):
    """The part of a handset that sends short data.

    Events: ``sds.sent`` {to, text, reference}, ``sds.received`` {user, text, reference}, ``sds.report`` {user,
    reference, told} (``delivered``, ``read``), ``status.sent`` {to, value}, ``status.received`` {user, talkgroup,
    value}.
    """

    talkgroup: str | None

    async def send_text(self, text: str, *, to: str, report: bool = False, read: bool = False) -> str:
        """Send a text to a user; with ``report`` and ``read``, ``sds.report`` tells when it came and was read.

        Returns its reference. Raises DriverError where the server refuses it, InterlockError where the testbed does
        not allow it: nothing has left then.
        """
        wanted = {(True, False): Wanted.DELIVERY, (False, True): Wanted.READ, (True, True): Wanted.BOTH}
        reference = await self._send(to, Payload.of_text, text, wanted=wanted.get((report, read)))
        self._journal.record(self.name, "sds.sent", to=to, text=text, reference=reference)
        return reference

    async def send_text_reported(self, text: str, *, to: str, within: float = REPORT_S) -> Event:
        """Send a text to a user and return its receipt, ``sds.report``.

        Raises ExpectationError when none comes ``within`` seconds, and as ``send_text`` does.
        """
        before = self._journal.position
        reference = await self.send_text(text, to=to, report=True)
        return await self._journal.expect(
            self.name, "sds.report", within=within, after=before, reference=reference, told="delivered"
        )

    async def send_group_text(self, text: str, *, to: str | None = None) -> str:
        """Send a text to a talkgroup (the one in use). Returns and raises as ``send_text``."""
        group = self._group_or_own(to)
        reference = await self._send(group, Payload.of_text, text, group=True)
        self._journal.record(self.name, "sds.sent", to=group, text=text, reference=reference)
        return reference

    async def read_text(self, reference: str) -> None:
        """The officer has read a text that came: its sender is told, where they wanted it. Raises DriverError."""
        try:
            await self._terminal.texts.read(reference)
        except McpttLocalError as error:
            raise DriverError(str(error)) from None

    async def send_status(self, value: int, *, to: str | None = None) -> None:
        """Send a status, 0 to 65535, to a talkgroup (the one in use): MCData's enhanced status is a group's.

        Raises as ``send_text`` does.
        """
        group = self._group_or_own(to)
        await self._send(group, Payload.of_status, value, group=True)
        self._journal.record(self.name, "status.sent", to=group, value=value)

    def _group_or_own(self, talkgroup: str | None) -> str:
        group = talkgroup or self.talkgroup
        if group is None:
            raise DriverError(f"{self.name}: no talkgroup is selected")
        return group

    async def _send(
        self, to: str, make: Callable[[_S], Payload], said: _S, *, group: bool = False, wanted: Wanted | None = None
    ) -> str:
        self._ask("message", to, 0)
        try:
            payload = make(said)
            return await self._terminal.texts.send(self._id(to), payload, group=group, wanted=wanted)
        except McpttLocalError as error:
            raise DriverError(str(error)) from None

    def _seen_texts(self, event: Event) -> None:
        """What the endpoint reports of short data."""
        data = event.data
        if event.kind == "mcdata.received":
            whose = {"user": data["user"], "talkgroup": data["group"], "reference": data["reference"]}
            if data["status"] is not None:
                self._journal.append(self.name, "status.received", {**whose, "value": data["status"]})
            else:
                self._journal.append(self.name, "sds.received", {**whose, "text": data["text"]})
        elif event.kind == "mcdata.disposition":
            self._journal.append(self.name, "sds.report", dict(data))
