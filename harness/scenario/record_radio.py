"""Reads from a serial transcript what an officer did with a terminal: pressed the key, changed group, sent something.

Theory. What went to the equipment is the stimulus (EN 300 392-5). An act begins with its first command: ``AT+CTSDC``
before ``ATD``, ``AT+CTSDS`` before ``AT+CMGS``. A call of emergency priority with status 0 to its group is one press of
the emergency key, and a place to that group soon after is part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harness.errors import PeiRemoteError, SdsError
from harness.evidence.transcript import Piece
from harness.privacy import mask_text
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, AiService
from harness.protocols.pei.commands import (
    Basic,
    Command,
    DefineCall,
    Dial,
    KeyTransmit,
    SdsSetup,
    SelectGroup,
    SendSds,
    Unkey,
    parse_command,
)
from harness.protocols.pei.framing import Body, CommandLines, ReplyLines
from harness.protocols.pei.unsolicited import IncomingCall, OutgoingProgress, parse_unsolicited
from harness.protocols.tetra import lip, sds, status
from harness.scenario.record import PART_WITHIN_S, Act, Recorded, actor_name
from harness.testbed.components import RadioTerminalComponent
from harness.testbed.model import Testbed

PREPARES_S: Final = 0.2
"""A command that prepares an act comes so much before it at most."""
EMERGENCY_S: Final = 1.0
"""Status 0 comes so near to an emergency's call."""


@dataclass(slots=True)
class _Sending:
    """A message whose body is due."""

    time: float
    command: SendSds
    service: int


class Terminal:
    """One terminal's transcript, written to ``found``."""

    def __init__(self, found: Recorded, testbed: Testbed, component: str, settings: RadioTerminalComponent) -> None:
        self._found = found
        self._groups = {gssi: name for name, gssi in testbed.talkgroups.items()}
        self._statuses = {each.value: number for number, each in testbed.statuses.items()}
        self._actor = actor_name(component)
        self._told: dict[str, Any] = {"role": "radio_terminal", "component": component}
        self._group: str | None = settings.talkgroup
        self._calls: dict[int, str] = {}
        """Talkgroup by call instance, as the terminal told."""
        self._dialled: str | None = None
        self._prepared: dict[type[Command], tuple[float, Command]] = {}
        self._service: int = AiService.SDS_4
        self._sending: _Sending | None = None
        self._emergency: tuple[float, str] | None = None
        """When the emergency key was pressed last, and on which group."""
        self._commands, self._replies = CommandLines(), ReplyLines()

    def take(self, piece: Piece) -> None:
        """Take the next bytes of the transcript."""
        if not piece.to_equipment:
            self._heard(piece.data)
            return
        self._commands.push(piece.data)
        while (given := self._commands.take()) is not None:
            if isinstance(given, Body):
                self._message(given)
            elif isinstance(given, str):
                self._line(given, piece.time)
            else:
                self._found.leave_out(f"{self._actor}: {str(given)[:80]}")

    def _heard(self, data: bytes) -> None:
        for line in self._replies.feed(data):
            try:
                code = parse_unsolicited(line) if isinstance(line, str) and line.startswith("+CT") else None
            except PeiRemoteError:
                continue
            if isinstance(code, IncomingCall) and code.called is not None:
                self._calls[code.cc] = self._groups.get(int(code.called[-8:]), "")
            elif isinstance(code, OutgoingProgress) and self._dialled is not None:
                self._calls[code.cc] = self._dialled

    def _line(self, line: str, time: float) -> None:
        try:
            command = parse_command(line)
        except PeiRemoteError as error:
            self._found.leave_out(f"{self._actor}: {str(error)[:80]}")
            return
        if isinstance(command, DefineCall | SdsSetup):
            self._prepared[type(command)] = time, command
            self._service = command.service if isinstance(command, SdsSetup) else self._service
            return
        if isinstance(command, Dial):
            self._dial(command, *self._began(time, DefineCall))
        elif isinstance(command, KeyTransmit):
            self._press(time, self._calls.get(command.cc, self._group or ""), 0)
        elif isinstance(command, Unkey):
            self._act(time, "release", None)
        elif isinstance(command, SelectGroup):
            self._select(command, time)
        elif isinstance(command, SendSds):
            self._commands.expect_body()
            self._sending = _Sending(self._began(time, SdsSetup)[0], command, self._service)
        elif isinstance(command, Basic) and command.name in ("A", "H"):
            self._found.leave_out(f"{self._actor}: AT{command.name}, of a call of two: no verb does it again")

    def _began(self, time: float, kind: type[Command]) -> tuple[float, Command | None]:
        """Return when an act began that may have been prepared, and by what."""
        prepared = self._prepared.pop(kind, None)
        return prepared if prepared is not None and time - prepared[0] <= PREPARES_S else (time, None)

    def _dial(self, command: Dial, time: float, defined: Command | None) -> None:
        number = int(command.number[-8:]) if command.number.isdigit() else 0
        group = self._groups.get(number)
        if group is None:
            self._found.leave_out(f"{self._actor}: a call to one radio: no verb does it again")
            return
        self._dialled = group
        priority = defined.priority if isinstance(defined, DefineCall) else 0
        if priority == EMERGENCY_CALL_PRIORITY and group == self._group:
            self._emergency = time, group
        self._press(time, group, priority)

    def _press(self, time: float, group: str, priority: int) -> None:
        if not group:
            self._found.leave_out(f"{self._actor}: the key in a call of two: no verb does it again")
            return
        self._act(time, "press", {"talkgroup": group} | ({"priority": priority} if priority else {}))

    def _select(self, command: SelectGroup, time: float) -> None:
        group = self._groups.get(int(command.group[-8:])) if command.group else None
        if command.act == 1 and group is not None and group != self._group:
            self._act(time, "select", {"talkgroup": group})
        elif command.act == 1 and group is None:
            self._found.leave_out(f"{self._actor}: AT+CTGS, of a group that the testbed has not")
        self._group = group or self._group

    def _message(self, body: Body) -> None:
        sending, self._sending = self._sending, None
        if sending is None or body.text is None:
            return
        to = int(sending.command.destination[-8:])
        try:
            payload = bytes.fromhex(body.text)
            if sending.service == AiService.STATUS:
                self._status(sending.time, to, status.decode(payload))
            elif payload[:1] == bytes((sds.ProtocolId.LIP,)):
                self._place(sending.time, to, lip.decode(payload))
            else:
                self._text(sending.time, to, sds.decode(payload))
        except (ValueError, SdsError, PeiRemoteError) as error:
            self._found.leave_out(f"{self._actor}: a message that can't be read: {str(error)[:80]}")

    def _status(self, time: float, to: int, value: int) -> None:
        if value == 0 and self._emergency is not None and time - self._emergency[0] <= EMERGENCY_S:
            last = next(act for act in reversed(self._found.acts) if act.actor == self._actor)
            if last.verb == "press":
                last.verb, last.told = "emergency", None
                return
        if value not in self._statuses:
            self._found.leave_out(f"{self._actor}: a status that the testbed has not")
            return
        self._act(time, "status", {"status": self._statuses[value], "to": to})

    def _place(self, time: float, to: int, place: lip.ShortLocation) -> None:
        here = {"lat": round(place.latitude, 5), "lon": round(place.longitude, 5)}
        if self._told.setdefault("location", here) != here:
            self._found.leave_out(f"{self._actor}: another place: an actor has one")
            return
        part = self._emergency is not None and time - self._emergency[0] <= PART_WITHIN_S
        if not (part and self._emergency and self._groups.get(to) == self._emergency[1]):
            self._act(time, "send_location", {"to": to})

    def _text(self, time: float, to: int, message: sds.Sds) -> None:
        words = getattr(message, "text", None)
        if not words or isinstance(message, sds.RawSds):
            self._found.leave_out(f"{self._actor}: a message without words: no verb does it again")
            return
        self._act(time, "text", {"text": mask_text(words), "to": to})

    def _act(self, time: float, verb: str, told: Any) -> None:
        self._found.actors.setdefault(self._actor, self._told)
        self._found.acts.append(Act(time, self._actor, verb, told))
