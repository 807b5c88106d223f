"""How callers and those who are called are written in SIP, for telephones and for trunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote as percent_encode

from harness.errors import NumberError, SipLocalError, SipRemoteError
from harness.protocols import uk_numbers
from harness.protocols.sip import diversion, history_info
from harness.protocols.sip.diversion import Diversion
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.history_info import Entry
from harness.protocols.sip.identity import ANONYMOUS, NUMBER_SAFE, Caller, Privacy, Telling, caller_of
from harness.protocols.sip.message import Request
from harness.protocols.sip.reason import SIP, Reason
from harness.protocols.sip.uri import Uri
from simulators.switch.ends import End, LineEnd, TrunkEnd, Who

if TYPE_CHECKING:
    from simulators.switch.call import Diverted, SwitchCall
    from simulators.switch.leg import Leg

Headers = list[tuple[str, str]]
WITHHELD: Final = frozenset((Privacy.ID,))


def written(who: Who, host: str, telling: tuple[str, ...], *, trusted: bool) -> tuple[str, Headers]:
    """From and the headers beside it that tell somebody. Raises SipLocalError on what no header can hold."""
    if not who.number:
        return ANONYMOUS, [("Privacy", "id")] if who.withheld else []
    presented = who.presented if who.presented != who.number else ""
    privacy = WITHHELD if who.withheld else frozenset()
    caller = Caller(who.number, host, who.display, presented, privacy)
    ways = tuple(Telling(each) for each in telling)
    if ways:
        return caller.from_value, caller.headers(*ways, trusted=trusted)
    return caller.from_value, [("Privacy", "id")] if who.withheld else []


def who_calls(request: Request, end: End) -> Who:
    """Who calls, by the INVITE and what is known of its sender. Raises SipRemoteError on headers that can't be read."""
    if isinstance(end, LineEnd):
        settings = end.line.settings
        return Who(end.number, settings.name, settings.withheld or "privacy" in _asked(request))
    if isinstance(end, TrunkEnd):
        found = caller_of(request, trusted=end.trunk.settings.trusted)
        return Who(found.number, found.display, found.is_withheld, found.presented)
    return Who(end.user, request.from_.display)


def _asked(request: Request) -> frozenset[str]:
    """What a telephone asks by Privacy; `privacy` where its number is not to be shown."""
    wanted = {part.strip().lower() for part in (request.get("privacy") or "").split(";")}
    return frozenset(("privacy",)) if wanted & {"id", "user", "header"} else frozenset()


def towards(who: Who, origin: End, end: TrunkEnd, external: str | None) -> Who:
    """A caller as a trunk is told: an extension by its external number, or by the trunk's main one."""
    if not isinstance(origin, LineEnd):
        return who
    number = external or end.trunk.settings.main_number or who.number
    return Who(number, who.display, who.withheld)


def connected_headers(call: SwitchCall, leg: Leg | None) -> Headers:
    """Who is being rung, or has answered, as ringing and answers tell the caller."""
    end = call.origin.end
    who = leg.who if leg is not None else call.partner_of(call.origin)
    if leg is not None and isinstance(leg.end, LineEnd):
        who = Who(leg.end.number, leg.end.line.settings.name, leg.end.line.settings.withheld)
        if isinstance(end, TrunkEnd):
            who = Who(leg.end.line.settings.external or who.number, who.display, who.withheld)
    telling = end.trunk.settings.identity if isinstance(end, TrunkEnd) else ("P-Asserted-Identity",)
    if isinstance(end, LineEnd):
        telling = end.line.settings.identity
    if not who.number or (who.withheld and isinstance(end, LineEnd)):
        return []
    try:
        trusted = isinstance(end, TrunkEnd) and end.trunk.settings.trusted
        return written(who, call.core.settings.host, telling, trusted=trusted)[1]
    except SipLocalError:
        return []  # a number that no URI can hold is not told


def diversion_headers(
    diversions: list[Diverted], host: str, ways: tuple[str, ...], externals: dict[str, str]
) -> Headers:
    """How an INVITE tells that its call was diverted. `externals`: how trunks know internal numbers."""
    if not diversions:
        return []
    found: Headers = []

    def address(number: str, cause: str = "") -> NameAddr:
        user = percent_encode(externals.get(number, number), safe=NUMBER_SAFE)
        return NameAddr(Uri("sip", user, host=host, params={"cause": cause} if cause else {}))

    if "Diversion" in ways:
        told = [Diversion(address(each.by), each.why) for each in reversed(diversions)]
        found.append((diversion.HEADER, diversion.value_of(told)))
    if "History-Info" in ways:
        entries: list[Entry] = [Entry(address(diversions[0].by), (1,))]
        for each in diversions:
            status = diversion.status_of_reason(each.why)
            entries = history_info.sent_on(entries, address(each.to, str(status)), "mp", Reason(SIP, status))
        found.append((history_info.HEADER, history_info.value_of(entries)))
    return found


def e164(number: str) -> str:
    """A number in its international form; as it is where it has none."""
    try:
        return uk_numbers.parse(number).e164 or number
    except NumberError:
        return number


def user_of(uri_text: str) -> str:
    """What a Request-URI asks for: a user, or a service's URN whole. Raises SipRemoteError."""
    if uri_text[:4].lower() == "urn:":
        return uri_text.lower()
    user = Uri.parse(uri_text).user_text
    if not user:
        raise SipRemoteError("a Request-URI without a user")
    return user.partition(";")[0]
