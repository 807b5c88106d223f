"""Call records in Cisco's format: one for each two ends that were connected, one for each end's speech, in files.

A record is put into the open file as it is made; a file is closed `interval_s` after its first record, by the loop's
clock, and put into the folder whole (docs/call-records.md, docs/interfaces/enterprise-switch.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.media import PortStats
from harness.errors import CdrError, SipRemoteError
from harness.protocols.cdr.codes import Codec, DtmfMethod, OnBehalfOf, PatternUsage, Protocol, Redirect, Secured
from harness.protocols.cdr.columns import CDR, CMR
from harness.protocols.cdr.file_series import FileSeries, WrittenFile
from harness.protocols.cdr.flat_file import Row
from harness.protocols.cdr.records import MAX_CALL_ID, CallRecord, MediaRecord
from harness.protocols.cdr.records import Leg as RecordLeg
from harness.protocols.sip.rtp_stat import RtpStat, rtp_stat_of
from harness.protocols.sip.session_id import of_random
from simulators.switch.call import REDIRECTS
from simulators.switch.ends import LineEnd, TrunkEnd
from simulators.switch.figures import Score, device_stat, heard_by_device, heard_by_switch, voice_quality
from simulators.switch.settings.switch import RecordSettings

if TYPE_CHECKING:
    from harness.transport.context import Context
    from simulators.switch.conversation import Pairing
    from simulators.switch.leg import Leg

KEPT: Final = 2_000
"""Records of each kind that the control interface shows; the files have all."""
CODECS: Final = {"PCMA": Codec.PCMA, "PCMU": Codec.PCMU, "G722": Codec.G722, "OPUS": Codec.OPUS}
USAGES: Final = {"CFB_1": PatternUsage.CONFERENCE, "PARK": PatternUsage.CALL_PARK, "VM_1": PatternUsage.VOICEMAIL_PORT}
MAX_REFERENCE: Final = 32
"""Characters of a trunk's Call-ID."""


class Records:
    """The records of one switch."""

    def __init__(
        self, context: Context, name: str, settings: RecordSettings, epoch: float, folder: Path, score: Score
    ) -> None:
        """`folder`: where files are put; `score`: how listening quality is rated.

        Raises CdrError on what no file's name can hold.
        """
        self._context = context
        self._name = name
        self._settings = settings
        self._epoch = epoch
        self.folder = folder
        self._series = {
            tag: FileSeries(tag, settings.cluster, settings.node, interval=settings.interval_s) for tag in (CDR, CMR)
        }
        self._timer: asyncio.TimerHandle | None = None
        self.calls: deque[CallRecord] = deque(maxlen=KEPT)
        """Those made last, oldest first."""
        self.media_records: deque[MediaRecord] = deque(maxlen=KEPT)
        self.files: list[str] = []
        """Names of the files that are there, oldest first."""
        self._score = score

    def _now(self) -> float:
        return self._epoch + self._context.journal.now()

    def _time(self, at: float | None) -> int:
        return 0 if at is None else int(self._epoch + at)

    def _pkid(self) -> str:
        digits = of_random(self._context.rng.randbytes(16))
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    # Calls

    def call(self, pairing: Pairing) -> None:
        """Two ends are parted, or never came together."""
        call, settings = pairing.call, self._settings
        diverted = call.diversions[0] if call.diversions else None
        latest = call.diversions[-1] if call.diversions else None
        first_reason = int(REDIRECTS.get(diverted.why, Redirect.UNKNOWN)) if diverted is not None else 0
        last_reason = int(REDIRECTS.get(latest.why, Redirect.UNKNOWN)) if latest is not None else 0
        by = OnBehalfOf.CALL_FORWARD if diverted is not None else OnBehalfOf.UNKNOWN
        dest = pairing.dest
        final = dest.end.number if dest is not None and isinstance(dest.end, LineEnd) else call.called
        record = CallRecord(
            call_id=(call.number - 1) % MAX_CALL_ID + 1,
            origination=self._time(pairing.began),
            disconnect=self._time(pairing.ended),
            pkid=self._pkid(),
            cluster=settings.cluster,
            call_manager=settings.node,
            connect=self._time(pairing.connected),
            orig=self._leg(pairing.orig, pairing, is_orig=True),
            dest=self._leg(dest, pairing, is_orig=False),
            calling=self._calling(pairing.orig, call.who.number),
            original_called=call.original or call.dialled,
            final_called=final or call.dialled,
            last_redirect=latest.by if latest is not None else final or call.dialled,
            redirected_by=call.redirected_by or by,
            redirect_reason=call.redirect_reason or first_reason,
            last_redirected_by=call.redirected_by or by,
            last_redirect_reason=call.redirect_reason or last_reason,
            joined_by=pairing.joined_by,
            secured=self._secured(pairing),
            comment="CallFlag=EMERGENCY" if call.emergency is not None else "",
            hunt_pilot=call.hunt,
            pattern_usage=PatternUsage.HUNT_PILOT if call.hunt else USAGES.get(pairing.device, _usage(dest)),
            original_pattern=call.original or call.dialled,
            final_pattern=call.pattern,
            **self._protocols(pairing),
        )
        self.calls.append(record)
        self._add(CDR, record.row())

    def _calling(self, leg: Leg, number: str) -> str:
        return leg.end.number if isinstance(leg.end, LineEnd) else leg.who.number or number

    def _leg(self, leg: Leg | None, pairing: Pairing, *, is_orig: bool) -> RecordLeg:
        cause = pairing.cause if pairing.by_orig is is_orig else 0
        cleared_by = int(pairing.cleared_by) if cause else OnBehalfOf.UNKNOWN
        conversation = 0 if is_orig else pairing.conversation
        if leg is None:
            return RecordLeg(device=pairing.device, cause=cause, cleared_by=cleared_by, conversation=conversation)
        flow = leg.sip.flow
        agreed = leg.speech.agreed if leg.speech is not None else None
        return RecordLeg(
            leg=leg.number,
            node=self._settings.node,
            address=flow.peer[0] if flow is not None else "",
            device=leg.end.name,
            cause=cause,
            cleared_by=cleared_by,
            media_address=agreed.host if agreed is not None and ":" not in agreed.host else "",
            media_port=agreed.port if agreed is not None else 0,
            codec=CODECS.get(agreed.codec, Codec.NONE) if agreed is not None else Codec.NONE,
            packet_ms=agreed.ptime if agreed is not None else 0,
            dtmf=_dtmf(leg),
            conversation=conversation,
        )

    def _secured(self, pairing: Pairing) -> int:
        legs = [leg for leg in (pairing.orig, pairing.dest) if leg is not None]
        secured = [leg.speech is not None and leg.speech.is_secured for leg in legs]
        return Secured.ENCRYPTED if secured and all(secured) else Secured.NO

    def _protocols(self, pairing: Pairing) -> dict[str, Any]:
        orig, dest = pairing.orig, pairing.dest
        found: dict[str, Any] = {}
        if isinstance(orig.end, TrunkEnd):
            found |= {"incoming_protocol": Protocol.SIP, "incoming_reference": orig.sip.id[:MAX_REFERENCE]}
        if dest is not None and isinstance(dest.end, TrunkEnd):
            found |= {"outgoing_protocol": Protocol.SIP, "outgoing_reference": dest.sip.id[:MAX_REFERENCE]}
            found |= {"outpulsed_called": dest.who.number, "outpulsed_calling": _outpulsed(dest)}
        return found

    # Media

    def media(self, leg: Leg, stats: PortStats | None) -> None:
        """The speech of one leg is over. Nothing is recorded of one that nobody told anything of."""
        told = _told(leg)
        if stats is None and told is None:
            return
        figures = told if stats is None else device_stat(stats, told, leg.duration)
        assert figures is not None
        quality = None
        if stats is not None:
            device, switch = heard_by_device(stats, told, self._score), heard_by_switch(stats, self._score)
            quality = voice_quality(device)
            self._context.journal.record(
                str(leg),
                "leg.quality",
                device=leg.end.name,
                seconds=round(leg.duration, 3),
                heard_there=_shown(device.mos),
                heard_here=_shown(switch.mos),
                lost_there=device.lost,
                lost_here=switch.lost,
                told=told is not None,
            )
        record = MediaRecord(
            call_id=((leg.call.number if leg.call is not None else 1) - 1) % MAX_CALL_ID + 1,
            leg=leg.number,
            time=self._time(leg.ended),
            pkid=self._pkid(),
            cluster=self._settings.cluster,
            call_manager=self._settings.node,
            node=self._settings.node,
            number=leg.end.number if isinstance(leg.end, LineEnd) else "",
            device=leg.end.name,
            quality=quality,
        ).with_stat(figures)
        self.media_records.append(record)
        self._add(CMR, record.row())

    # Files

    def _add(self, tag: str, row: Row) -> None:
        try:
            closed = self._series[tag].add(row, self._now())
        except CdrError as error:
            self._context.journal.warn(self._name, "record.not_written", tag=tag, reason=str(error))
            return
        self._put(closed)
        self._set_timer()

    def _set_timer(self) -> None:
        due = [each for series in self._series.values() if (each := series.due) is not None]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due:
            delay = max(0.0, min(due) - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._roll)

    def _roll(self) -> None:
        self._timer = None
        for series in self._series.values():
            self._put(series.roll(self._now() + 1e-6))
        self._set_timer()

    def flush(self) -> None:
        """Close the open files now."""
        for series in self._series.values():
            self._put(series.finish())
        self._set_timer()

    def _put(self, files: list[WrittenFile]) -> None:
        for file in files:
            # Under another name first: whoever fetches files from the folder must not get half of one.
            part = self.folder / f".{file.name}.part"
            try:
                part.write_bytes(file.data)
                part.rename(self.folder / file.name)
            except OSError as error:
                self._context.journal.warn(self._name, "record.not_written", file=file.name, reason=str(error))
                continue
            self.files.append(file.name)
            self._context.journal.record(self._name, "record.file", file=file.name, octets=len(file.data))
            while len(self.files) > self._settings.keep_files:
                (self.folder / self.files.pop(0)).unlink(missing_ok=True)

    def stop(self) -> None:
        """Close the open files, and set no timer any more."""
        self.flush()
        if self._timer is not None:
            self._timer.cancel()


def _usage(dest: Leg | None) -> int:
    return PatternUsage.DEVICE if dest is not None and isinstance(dest.end, LineEnd) else PatternUsage.ROUTE


def _dtmf(leg: Leg) -> int:
    agreed = leg.speech.agreed if leg.speech is not None else None
    if agreed is None:
        return DtmfMethod.UNKNOWN
    return DtmfMethod.RFC2833 if agreed.dtmf_payload_type is not None else DtmfMethod.OUT_OF_BAND


def _outpulsed(leg: Leg) -> str:
    try:
        return leg.sip.request.from_.uri.user_text
    except SipRemoteError:
        return ""


def _told(leg: Leg) -> RtpStat | None:
    """What the far end told of its speech, in its BYE or in the answer to ours."""
    message = leg.sip.ended_by
    if message is None:
        return None
    try:
        return rtp_stat_of(message)
    except SipRemoteError as error:
        leg.core.journal.warn(str(leg), "leg.bad_figures", reason=str(error))
        return None


def _shown(mos: float | None) -> float | None:
    return None if mos is None else round(mos, 3)
