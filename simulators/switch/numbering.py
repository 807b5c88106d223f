"""What a dialled number leads to: a line, a group, a service, a code, or trunks; made of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from harness.protocols import uk_numbers
from harness.protocols.sip.dial_plan import DialPlan, Route, Target
from simulators.switch.identities import e164
from simulators.switch.settings import ConferenceSettings, SwitchSettings

_SIMPLE_CODES: Final = ("pickup", "cancel_all", "cancel_busy", "cancel_no_answer", "log_out")
_CODES_WITH_NUMBER: Final = ("directed_pickup", "intercom")
_CODES_WITH_HASH: Final = ("forward_all", "forward_busy", "forward_no_answer")
SOS: Final = "urn:service:sos"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a number leads."""

    kind: str
    """``line``, ``hunt``, ``queue``, ``room``, ``factory``, ``park``, ``slot``, ``voicemail``, ``emergency``,
    ``group``, ``trunk``, or ``code:`` and its name."""
    number: str
    """As the destination gets it: translated, without a code that stood before it."""
    names: tuple[str, ...] = ()
    """Trunks, in the order in which they are tried."""
    pattern: str = ""
    refuse: int = 0
    """The status that refuses the call; 0: it goes on."""

    @property
    def is_inside(self) -> bool:
        """Whether it does not leave the switch."""
        return self.kind not in ("trunk", "emergency")


class Numbering:
    """The numbers of one switch."""

    def __init__(self, settings: SwitchSettings) -> None:
        """Raises DialPlanError for routes that mean nothing, or are given twice."""
        self._plan = DialPlan(_routes(settings))
        self._codes = {
            name: getattr(settings.codes, name) for name in (*_SIMPLE_CODES, *_CODES_WITH_NUMBER, *_CODES_WITH_HASH)
        }
        self._emergency = settings.emergency.numbers[0]
        self._internal = {each.external: each.number for each in settings.reachable() if each.external is not None}
        self.externals = {number: external for external, number in self._internal.items()}
        """How trunks know internal numbers."""

    def find(self, dialled: str) -> Destination | None:
        """Where a number leads; None where nothing matches.

        Raises DialPlanError where translations don't end.
        """
        if dialled.startswith(SOS):
            return Destination("emergency", self._emergency)
        number = self._internal.get(e164(dialled), dialled)
        routed = self._plan.route(number)
        if routed is None:
            return None
        if routed.refuse:
            return Destination("refused", routed.number, pattern=routed.pattern, refuse=routed.refuse)
        kind, _, name = routed.targets[0].partition(" ")
        if kind == "trunk":
            trunks = tuple(target.partition(" ")[2] for target in routed.targets)
            return Destination(kind, routed.number, trunks, routed.pattern)
        if kind.startswith("code:"):
            return Destination(kind, self._argument(kind[5:], routed.number), (), routed.pattern)
        return Destination(kind, name or routed.number, (), routed.pattern)

    def _argument(self, code: str, number: str) -> str:
        """What was dialled after a code."""
        return number.removeprefix(self._codes[code]).removesuffix("#" if code in _CODES_WITH_HASH else "")

    def may_go_on(self, dialled: str) -> bool:
        """Whether more digits could lead somewhere (484 rather than 404)."""
        return self._plan.may_go_on(dialled)


def split_prefix(dialled: str) -> tuple[str, bool | None]:
    """Part 141 or 1470 from a number; whether the caller's number is to be withheld, None where nothing was said."""
    prefix, rest = uk_numbers.split_prefix(dialled)
    return (rest, prefix == "141") if prefix in ("141", "1470") else (dialled, None)


def _escaped(number: str) -> str:
    return "".join(f"\\{char}" if char in "*+" else char for char in number)


def _routes(settings: SwitchSettings) -> Iterator[Route]:
    def to(number: str, kind: str, name: str = "") -> Route:
        return Route(_escaped(number), (Target(f"{kind} {name or number}"),))

    for line in settings.lines:
        yield to(line.number, "line")
    for group in settings.hunt_groups:
        yield to(group.number, "hunt")
    for queue in settings.call_queues:
        yield to(queue.number, "queue")
    for pickup in settings.pickup_groups:
        if pickup.number:
            yield to(pickup.number, "group", pickup.name)
    for number in settings.emergency.numbers:
        yield to(number, "emergency")
    yield from _conference_routes(settings.conference)
    if settings.park is not None:
        yield to(settings.park.number, "park")
        for slot in settings.park.slots():
            yield to(slot, "slot")
    if settings.voicemail is not None:
        yield to(settings.voicemail.number, "voicemail")
    yield from _code_routes(settings)
    for route in settings.routes:
        targets = tuple(Target(f"trunk {name}", index) for index, name in enumerate(route.trunks, 1))
        yield Route(route.pattern, targets, route.strip, route.strip_pre_dot, route.prepend, route.refuse)


def _conference_routes(conference: ConferenceSettings) -> Iterator[Route]:
    rooms = [room.number for room in conference.rooms]
    if conference.factory:
        yield Route(_escaped(conference.factory), (Target(f"factory {conference.factory}"),))
        rooms += [str(conference.first_ad_hoc + index) for index in range(conference.max_ad_hoc)]
    for number in rooms:
        yield Route(_escaped(number), (Target(f"room {number}"),))
    for number in conference.meetings.numbers() if conference.meetings is not None else ():
        yield Route(_escaped(number), (Target(f"meeting {number}"),))


def _code_routes(settings: SwitchSettings) -> Iterator[Route]:
    for names, tail in ((_SIMPLE_CODES, ""), (_CODES_WITH_NUMBER, "!"), (_CODES_WITH_HASH, "!#")):
        for name in names:
            code = getattr(settings.codes, name)
            yield Route(_escaped(code) + tail, (Target(f"code:{name} {code}"),))
