"""The terminal equipment: what a person does with a TETRA terminal, done by AT commands over its serial line."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from harness.endpoints.pei.gate import Permit
from harness.endpoints.pei.line import COMMAND_S
from harness.endpoints.pei.private_call import PrivateCalls
from harness.errors import PeiLocalError, PeiRemoteError, SdsError
from harness.protocols.pei import commands
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import AiService, CmeError, Grant, GroupAct, IdentityType, ReleaseCause, describe
from harness.protocols.pei.codes import SdsResult as SdsStatus
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.replies import CodeReceived
from harness.protocols.pei.unsolicited import (
    CallReleased,
    Numbering,
    SelectedGroup,
    SendResult,
    TransmissionGrant,
    parse_listed,
)
from harness.protocols.tetra import concatenation, sds, status
from harness.protocols.tetra.identity import parse_ssi
from harness.transport.context import Context

RESULT_S = 30.0
"""Seconds within which the network's result of a message comes; it can come long after OK [C]."""

_HELD = (CallState.ORIGINATING, CallState.REQUESTING, CallState.CONTENDING, CallState.QUEUED, CallState.TALKING)
"""States of a call in which we have the floor, or may be given it."""
_USER_DATA_BYTES = {1: 2, 2: 4, 3: 8}
"""Length of the SDS types that have but one."""
_SERVICES = (
    commands.VOICE_SERVICE,
    commands.GROUP_SERVICE,
    commands.STATUS_SERVICE,
    *(commands.sds_service(protocol) for protocol in (sds.ProtocolId.SIMPLE_TEXT, sds.ProtocolId.TEXT)),
    *(commands.sds_service(protocol) for protocol in (sds.ProtocolId.IMMEDIATE_TEXT, sds.ProtocolId.LIP)),
    *(commands.sds_service(protocol) for protocol in (sds.ProtocolId.USER_DATA_HEADER, sds.ProtocolId.CONCATENATED)),
    commands.sds_service(sds.ProtocolId.CONCATENATED_TL),
)


@dataclass(frozen=True, slots=True)
class KeyOutcome:
    """What asking to talk came to."""

    cc: int
    """Call instance."""
    grant: Grant
    """GRANTED, QUEUED (the grant may still come) or NOT_GRANTED."""
    waited_s: float
    """From the command that asked to the network's answer, seconds."""
    talker: str | None = None
    """Who talks instead, digits, where the network has said so."""

    @property
    def granted(self) -> bool:
        """Whether we may talk."""
        return self.grant is Grant.GRANTED


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What sending a message came to."""

    instance: int
    """The terminal's handle of the message."""
    sent: bool
    """The network took it to its destination (`+CMGS: …,4`)."""
    reference: int | None
    """SDS-TL message reference, which a delivery report names; None for a status or simple text."""


class TerminalEquipment(PrivateCalls):
    """One terminal on one line, opened by `open`."""

    def __init__(self, context: Context, name: str, url: str, baud: int, permit: Permit | None) -> None:
        super().__init__(context, name, url, baud, permit)
        self._reference = 0
        self._messages = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unwanted: str | None = None
        """Group, digits, of a set-up whose request to talk was taken back before the call had an instance."""

    async def register_services(self) -> tuple[str, ...]:
        """Ask the terminal for the codes of calls, groups, status, text and location (`AT+CTSP`).

        Returns the lines it refused: codeplugs differ, and a refused service is journalled, no error.
        Raises PeiLocalError when it gives no answer.
        """
        refused = []
        for service in _SERVICES:
            reply = await self._ask(service.line(), None, COMMAND_S, None)
            if not reply.ok and reply.number != CmeError.PROTOCOL_REGISTERED:
                refused.append(service.line())
                self._context.journal.warn(self.name, "pei.service_refused", command=service.line(), reply=reply.told())
        return tuple(refused)

    async def own_tsi(self) -> str:
        """The terminal's own TSI, digits; empty where it tells none (`AT+CNUMF?`). Raises PeiLocalError.

        Of several numbers it is the individual one, whichever comes first.
        """
        reply = await self.command("AT+CNUMF?")
        found = [code for line in reply.lines if isinstance(code := self._listed(line, Numbering.PREFIX), Numbering)]
        found.sort(key=lambda code: code.type != IdentityType.INDIVIDUAL)
        return found[0].number if found else ""

    async def selected_group(self) -> str:
        """The GTSI of the talkgroup in use, digits; empty for none (`AT+CTGS?`). Raises PeiLocalError."""
        reply = await self.command("AT+CTGS?")
        found = (self._listed(line, SelectedGroup.PREFIX) for line in reply.lines)
        return next((code.group for code in found if isinstance(code, SelectedGroup) and code.group), "")

    def _listed(self, line: str, name: str) -> Unsolicited | None:
        """What a line of a reply tells; None, journalled, for one that can't be read."""
        try:
            return parse_listed(line, name)
        except PeiRemoteError as error:
            self._context.journal.warn(self.name, "pei.bad_line", why=str(error))
            return None

    async def select_group(self, gssi: int | str) -> None:
        """Select a talkgroup, by GSSI or GTSI (`AT+CTGS=1,…`). Raises PeiLocalError."""
        await self.command(commands.SelectGroup(GroupAct.SELECT, str(gssi)).line())
        self._group = str(parse_ssi(str(gssi)))

    async def into_service(self, gssi: int | None) -> None:
        """Bring a gateway's terminal into service on a talkgroup, or on none, its line opened again if it was lost.

        Raises TransportError where the line can't be opened, PeiLocalError.
        """
        if self.lost is not None:
            await self.reopen()
            # Whoever held the floor when the line went could not give it back; the terminal may hold it still.
            with contextlib.suppress(PeiLocalError):
                await self.hang_up()
        await self.register_services()
        if gssi is None:
            await self.command(commands.SelectGroup(GroupAct.NONE).line())
            self._group = None
        else:
            await self.select_group(gssi)

    async def key(self, gssi: int | str, *, priority: int = 0, within: float = COMMAND_S) -> KeyOutcome:
        """Ask to talk on a talkgroup: in its call when one is up (`AT+CTXD`), else by setting one up (`ATD`).

        In a private simplex call `gssi` is the other terminal's ISSI.

        `priority` is the call's, 0-15; 12 and up pre-empt, 15 is an emergency. Returns what the network first answers,
        which may be QUEUED: `granted` then waits for more.

        Raises:
            PeiLocalError: the terminal refused, the call was released, or no answer within `within` seconds.
            InterlockError: not permitted; nothing left.
        """
        digits = str(parse_ssi(str(gssi)))
        cc = self.call_on(digits)
        began = self._loop.time()
        listener = self._listen(lambda code: self._answers_key(code, cc, digits))
        try:
            if cc is not None and not await self._demand(cc, priority):
                cc = None
            if cc is None:
                await self._set_up(digits, priority)
            answer = await self._heard(listener, within, f"answer to the request to talk on {digits}")
        except (PeiLocalError, asyncio.CancelledError):
            if self.lost is None:
                self._take_back(digits)
            raise
        finally:
            self._unlisten(listener)
        return self._outcome(answer, digits, began)

    async def _demand(self, cc: int, priority: int) -> bool:
        """Ask to talk in a call; False where the terminal knows of no such group call, as after a reboot.

        It has forgotten what else it was told, too, and is told again. Raises PeiLocalError where it refuses otherwise.
        """
        demand = commands.KeyTransmit(cc, _tx_priority(priority))
        self._machine.may(demand)
        reply = await self._ask(demand.line(), None, COMMAND_S, None)
        if reply.ok:
            return True
        if reply.number != CmeError.NOT_ALLOWED or cc in self._private:
            raise PeiLocalError(f"{self.name}: {demand.line()} was refused: {reply.told()}")
        self._context.journal.warn(self.name, "pei.call_unknown", cc=cc, reply=reply.told())
        self._machine.forget(cc)
        self._forget_end(cc)
        group = self._group
        await self.register_services()
        if group is not None:
            await self.select_group(group)
        return False

    def _take_back(self, digits: str) -> None:
        """A request that nobody waits for any more must not be granted later: that is an open microphone."""
        cc = self.call_on(digits)
        if cc is None and self._dialled == digits:
            self._unwanted = digits  # taken back as soon as the call has an instance
        elif cc is not None and self.state_of(cc) in _HELD:
            self._unkey_later(cc)

    def _unkey_later(self, cc: int) -> None:
        task = self._loop.create_task(self._unkey_quietly(cc))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _unkey_quietly(self, cc: int) -> None:
        with contextlib.suppress(PeiLocalError):  # journalled as the refused command that it is
            await self.unkey(cc)

    def _code(self, seen: CodeReceived) -> None:
        super()._code(seen)
        cc = None if self._unwanted is None else self.call_on(self._unwanted)
        if cc is not None:
            self._unwanted = None
            self._unkey_later(cc)

    async def _set_up(self, digits: str, priority: int) -> None:
        # The permit is asked about the whole act first, so that no half of it leaves.
        self._gate.ask("key", digits, priority)
        async with self._set_ups:
            await self.command(commands.DefineCall(priority=priority).line(), about=digits)
            self._dialled, self._dialled_private = digits, False
            self._set_up_cc, self._unwanted = None, None
            try:
                await self.command(commands.Dial(digits).line())
            except PeiLocalError:
                self._dialled = None
                raise

    async def granted(self, cc: int, *, within: float) -> KeyOutcome:
        """Wait for the grant of a request that is queued; one that does not come in time is taken back.

        Raises PeiLocalError when it does not come.
        """
        began = self._loop.time()
        if self.state_of(cc) is CallState.TALKING:
            return KeyOutcome(cc, Grant.GRANTED, 0.0)
        listener = self._listen(
            lambda code: (
                getattr(code, "cc", None) == cc
                and (
                    isinstance(code, CallReleased)
                    or (isinstance(code, TransmissionGrant) and code.grant in (Grant.GRANTED, Grant.NOT_GRANTED))
                )
            )
        )
        try:
            answer = await self._heard(listener, within, f"grant in call {cc}")
        except (PeiLocalError, asyncio.CancelledError):
            if self.lost is None and self.state_of(cc) in _HELD:
                self._unkey_later(cc)
            raise
        finally:
            self._unlisten(listener)
        return self._outcome(answer, str(cc), began)

    def _answers_key(self, code: Unsolicited, cc: int | None, digits: str) -> bool:
        if isinstance(code, CallReleased):
            if cc is not None or self._set_up_cc is not None:
                return code.cc == (self._set_up_cc if cc is None else cc)
            # A set-up that fails at once is released under an instance that nothing named before. One that is known
            # is another call: the group's own, which came in as we dialled. So is one that its user released: a call
            # that was up before the line was opened, which the terminal leaves for ours.
            return code.cc not in self._ends and code.cause != ReleaseCause.USER
        if not isinstance(code, TransmissionGrant) or code.grant == Grant.GRANTED_TO_ANOTHER:
            return False  # news about another, which can cross our request; the answer is still to come
        return code.cc == cc if cc is not None else self._ends.get(code.cc) == digits

    def _outcome(self, answer: Unsolicited, target: str, began: float) -> KeyOutcome:
        if isinstance(answer, CallReleased):
            self._dialled = None
            raise PeiLocalError(f"{self.name}: call to {target} released: {describe(ReleaseCause, answer.cause)}")
        assert isinstance(answer, TransmissionGrant)
        try:
            grant = Grant(answer.grant)
        except ValueError:
            raise PeiLocalError(f"{self.name}: call to {target}: grant {answer.grant} does not exist") from None
        talker = None if grant is Grant.GRANTED else self._talkers.get(answer.cc)
        return KeyOutcome(answer.cc, grant, self._loop.time() - began, talker)

    async def unkey(self, cc: int) -> None:
        """Cease to talk, or take the request back (`AT+CUTXC`). Raises PeiLocalError."""
        await self.command(commands.Unkey(cc).line())

    async def send_status(self, destination: int | str, value: int, *, within: float = RESULT_S) -> SendOutcome:
        """Send a pre-coded status, 0-65535, and wait for the network's result. Status 0 is an emergency.

        Raises:
            SdsError: not a 16-bit value.
            PeiLocalError: refused, or no result in time.
            InterlockError: not permitted; nothing left.
        """
        return await self._send(commands.SDS_STATUS, destination, status.encode(value), None, within)

    async def send_text(
        self,
        destination: int | str,
        text: str,
        *,
        report: sds.ReportRequest = sds.ReportRequest.NONE,
        within: float = RESULT_S,
    ) -> SendOutcome:
        """Send an SDS text (SDS-TL, ISO 8859-1) and wait for the network's result; a report comes as `sds.report`.

        Raises as `send_status` does.
        """
        self._reference = self._reference % 255 + 1
        payload = sds.encode(sds.TextTransfer(text, self._reference, report))
        return await self._send(commands.SDS_TYPE_4, destination, payload, self._reference, within)

    async def send_user_data(
        self, destination: int | str, sds_type: int, payload: bytes, *, within: float = RESULT_S
    ) -> SendOutcome:
        """Send an SDS of type 1, 2 or 3: 2, 4 or 8 bytes that only sender and receiver understand.

        Raises as `send_status` does, and SdsError for another type or another length.
        """
        due = _USER_DATA_BYTES.get(sds_type)
        if due is None or len(payload) != due:
            raise SdsError(f"SDS type {sds_type} of {len(payload)} bytes; types 1, 2, 3 have 2, 4, 8")
        service = commands.SdsSetup(AiService.SDS_1 + sds_type - 1)
        return await self._send(service, destination, payload, None, within)

    async def send_long_text(
        self,
        destination: int | str,
        text: str,
        *,
        report: sds.ReportRequest = sds.ReportRequest.NONE,
        within: float = RESULT_S,
    ) -> list[SendOutcome]:
        """Send a text of any length in parts (user data header), each after the result of the one before.

        A part that the network could not deliver is the last that goes. Raises as `send_status` does, and SdsError for
        a text of more than 255 parts.
        """
        parts = concatenation.split(text, self._reference % 255 + 1, report)
        outcomes = []
        for part in parts:
            self._reference = part.reference
            payload = sds.encode(part)
            outcomes.append(await self._send(commands.SDS_TYPE_4, destination, payload, part.reference, within))
            if not outcomes[-1].sent:
                break
        return outcomes

    async def send_sds(self, destination: int | str, payload: bytes, *, within: float = RESULT_S) -> SendOutcome:
        """Send an SDS type 4 of any kind, e.g. a location report. Raises as `send_status` does."""
        return await self._send(commands.SDS_TYPE_4, destination, payload, None, within)

    async def _send(
        self, service: commands.SdsSetup, destination: int | str, payload: bytes, reference: int | None, within: float
    ) -> SendOutcome:
        if 8 * len(payload) > sds.MAX_BITS:
            raise SdsError(f"SDS type 4 of {8 * len(payload)} bits; {sds.MAX_BITS} is the most")
        sending, body = commands.SendSds(str(destination), 8 * len(payload)), payload.hex().upper()
        self._gate.ask_message(sending.destination, body)
        results: dict[int, SendResult] = {}
        awaited: set[int] = set()

        def is_ours(code: Unsolicited) -> bool:
            if isinstance(code, SendResult) and code.status is not None:
                results[code.instance] = code  # it can be here before the reply that names the instance is read
                return code.instance in awaited
            return False

        # AT+CTSDS holds for the AT+CMGS after it: another message may not come between.
        async with self._messages:
            listener = self._listen(is_ours)
            try:
                await self.command(service.line())
                reply = await self.command(sending.line(), body=body)
                codes = (self._listed(line, SendResult.PREFIX) for line in reply.lines)
                instance = next((code.instance for code in codes if isinstance(code, SendResult)), -1)
                awaited.add(instance)
                if instance not in results:
                    await self._heard(listener, within, f"result of {sending.line()}")
            finally:
                self._unlisten(listener)
        return SendOutcome(instance, results[instance].status == SdsStatus.SENT, reference)


def _tx_priority(call_priority: int) -> int:
    """The transmit demand's priority that goes with a call priority [U]."""
    if call_priority >= 15:
        return 3
    return 2 if call_priority >= 12 else int(call_priority > 0)
