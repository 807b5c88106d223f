"""Texts and statuses of one MCPTT terminal, by MCData: sent to a user or a group, received, receipted and read.

3GPP TS 24.282: standalone short data on the signalling plane (9.2.2), dispositions (12.2), enhanced status (14.2).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeVar

from harness.endpoints.mcptt.station import Station
from harness.errors import McpttLocalError
from harness.protocols.mcdata.info import GROUP, HEADERS, ONE_TO_ONE, McdataInfo
from harness.protocols.mcdata.message import ShortData
from harness.protocols.mcdata.sds import ID_OCTETS, Disposition, Notification, Payload, Signalling, Wanted
from harness.protocols.mcptt.messages import in_words

MAX_KEPT: Final = 1_000
"""Conversations, and messages that wait to be read, that one terminal knows; the oldest are forgotten."""
MAX_UNDER_WAY: Final = 64
"""Receipts of ours that are under way; more are not sent."""
_T = TypeVar("_T")


class Texts:
    """One terminal's.

    Events, under its name: ``mcdata.received`` {user, group, text, status, reference, wanted}, ``mcdata.disposition``
    {user, reference, told}, ``mcdata.receipted`` {reference, told}, ``mcdata.unsent`` {why}. ``reference`` is the
    message's identity, hexadecimal.
    """

    def __init__(self, station: Station, service: str) -> None:
        self._station = station
        self._service = service
        self._conversations: OrderedDict[str, bytes] = OrderedDict()
        """By whom they are with."""
        self._unread: OrderedDict[str, tuple[str, Signalling]] = OrderedDict()
        """By reference: of whom, and what."""
        self._under_way = 0

    async def send(self, to: str, payload: Payload, *, group: bool = False, wanted: Wanted | None = None) -> str:
        """Send to a user's or, with ``group``, a group's identity; return the reference that dispositions tell.

        Raises McpttLocalError where the server refuses or does not answer.
        """
        message = self._identity()
        signalling = Signalling(self._conversation(to), message, int(self._station.clock()), wanted)
        if group:
            data = ShortData(McdataInfo(GROUP, to), signalling, (payload,))
        else:
            data = ShortData(McdataInfo(ONE_TO_ONE), signalling, (payload,), (to,))
        await self._station.send(self._service, HEADERS, *data.parts())
        return message.hex()

    async def read(self, reference: str) -> None:
        """The user has read a message: its sender is told where they wanted to be. Raises McpttLocalError."""
        kept = self._unread.pop(reference, None)
        if kept is None:
            raise McpttLocalError(f"{self._station.name} has no message {reference[:40]!r} that is to be read")
        user, signalling = kept
        await self._tell(user, signalling, Disposition.READ)

    def received(self, data: ShortData) -> int:
        """Short data came; returns the status that answers it."""
        if isinstance(data.signalling, Notification):
            return self._disposed(data.info.calling_user, data.signalling)
        if not data.payloads or not data.info.calling_user:
            return 400
        signalling, user = data.signalling, data.info.calling_user
        self._keep(self._conversations, data.info.calling_group or user, signalling.conversation)
        reference = signalling.message.hex()
        group = _name(data.info.calling_group) or None
        for payload in data.payloads:
            self._station.context.journal.record(
                self._station.name,
                "mcdata.received",
                user=_name(user),
                group=group,
                text=payload.text,
                status=payload.status,
                reference=reference,
                wanted=None if signalling.wanted is None else signalling.wanted.name.lower(),
            )
        if signalling.wanted in (Wanted.READ, Wanted.BOTH):
            self._keep(self._unread, reference, (user, signalling))
        if signalling.wanted in (Wanted.DELIVERY, Wanted.BOTH):
            if self._under_way >= MAX_UNDER_WAY:
                self._station.warn("mcdata.unsent", why=f"{MAX_UNDER_WAY} receipts are under way")
            else:
                self._under_way += 1
                self._station.task(self._receipt(user, signalling))
        return 200

    def _disposed(self, user: str, told: Notification) -> int:
        name = in_words(Disposition, told.disposition, f"disposition {told.disposition}")
        self._station.context.journal.record(
            self._station.name, "mcdata.disposition", user=_name(user), reference=told.message.hex(), told=name
        )
        return 200

    async def _receipt(self, user: str, signalling: Signalling) -> None:
        try:
            await self._tell(user, signalling, Disposition.DELIVERED)
        except McpttLocalError as error:
            self._station.warn("mcdata.unsent", why=str(error))
        finally:
            self._under_way -= 1

    async def _tell(self, user: str, signalling: Signalling, disposition: Disposition) -> None:
        told = Notification(signalling.conversation, signalling.message, disposition, int(self._station.clock()))
        await self._station.send(self._service, HEADERS, *ShortData(McdataInfo(), told, to=(user,)).parts())
        reference = signalling.message.hex()
        self._station.context.journal.record(
            self._station.name, "mcdata.receipted", reference=reference, told=disposition.name.lower()
        )

    def _conversation(self, to: str) -> bytes:
        """The conversation with a user or a group, a new one where there is none."""
        if to not in self._conversations:
            self._keep(self._conversations, to, self._identity())
        return self._conversations[to]

    def _identity(self) -> bytes:
        """A random UUID (RFC 9562, version 4)."""
        octets = bytearray(self._station.context.rng.randbytes(ID_OCTETS))
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        return bytes(octets)

    def _keep(self, kept: OrderedDict[str, _T], key: str, value: _T) -> None:
        kept[key] = value
        kept.move_to_end(key)
        while len(kept) > MAX_KEPT:
            kept.popitem(last=False)


def _name(uri: str) -> str:
    return uri.removeprefix("sip:").partition("@")[0]
