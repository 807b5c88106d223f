"""The safety interlock: on a testbed with real equipment, nothing leaves that the file does not allow.

Drivers and endpoints ask before a byte is sent; a refusal is an InterlockError. With simulated components only,
everything is allowed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from urllib.parse import unquote

from harness.errors import InterlockError
from harness.privacy import is_reserved, is_reserved_domain
from harness.testbed.model import Testbed

POLICE_AND_EMERGENCY = frozenset({"999", "112", "101", "911", "111", "105", "18000", "18001", "18002"})
"""Numbers that reach a public service: a permit is needed whatever the file's own plan calls them."""
SERVICE_URN = "urn:service:sos"
"""Emergency services by name (RFC 5031)."""
PRE_EMPTIVE_PRIORITY = 12
"""The lowest priority that takes other calls down (EN 300 392-5; unconfirmed)."""
_SCHEME = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-.()/\s]")
_DIGITS = re.compile(r"\+?[0-9*#,]+$")
_PREFIXES = ("+440", "+44", "00440", "0044", "+", "9,", "9", "0", "1470", "141")
"""What may stand before a short code and still lead to it: country code, a PBX's way out, number shown or withheld."""


class Interlock:
    """Answers whether a dial, a key or a message may leave, for one testbed on one day."""

    def __init__(self, testbed: Testbed, today: date) -> None:
        self._testbed = testbed
        self._today = today
        self._real = testbed.real()
        plan = testbed.numbers
        self._guarded = POLICE_AND_EMERGENCY | set(plan.emergency) | set(plan.non_emergency)
        self._groups = {str(gssi): name for name, gssi in testbed.talkgroups.items()}

    @property
    def armed(self) -> bool:
        """Whether anything on the testbed is real."""
        return bool(self._real)

    def dial(self, target: str) -> None:
        """Allow a call or request to ``target`` (a SIP, tel or service URI, or a number), or raise InterlockError."""
        if not self._real:
            return
        number = _dialled(target)
        if number.startswith(SERVICE_URN):
            self._need_permit("emergency_call", self._testbed.numbers.emergency[0])
            return
        code = self._service(number)
        if code is not None:
            self._need_permit("emergency_call", code)
            return
        if not any(_fits(number, pattern) for pattern in self._testbed.safety.dial):
            raise InterlockError(
                f"dialling {number} is not allowed: {self._why()}, and safety.dial names "
                f"{_listed(self._testbed.safety.dial)}"
            )

    def radio(self, what: str, target: str, priority: int) -> None:
        """Allow a radio act, or raise InterlockError.

        ``what`` is ``key`` (``target`` a GSSI or a talkgroup's name), ``call`` or ``message`` (``target`` an ISSI or an
        MCPTT user's name) or ``control`` (an ISSI: regrouped, listened to, disabled) or ``command`` (``target`` a line
        for a terminal whose effect is not known: never allowed). ``priority`` 0 to 15: from 12 on a dated permit is
        needed, which names the talkgroup, the ISSI or the user.
        """
        if not self._real:
            return
        name = self._groups.get(target, target)
        if priority >= PRE_EMPTIVE_PRIORITY:
            self._need_permit("radio_emergency", name)
            return
        safety = self._testbed.safety
        lists = {"message": safety.message, "call": safety.call, "control": safety.control}
        listed = f"safety.{what}" if what in lists else "safety.key"
        named = lists.get(what, ())
        allowed = target in map(str, named)
        if listed == "safety.key":
            allowed, names = what != "command" and name in safety.key, _listed(safety.key)
        else:
            names = _listed(map(str, named))
        if not allowed:
            name = repr(name[:60]) if what == "command" else name
            raise InterlockError(f"{what} {name} is not allowed: {self._why()}, and {listed} names {names}")

    def locate(self, what: str, number: str) -> None:
        """Allow a question about, or a position of, ``number`` to a location service, or raise InterlockError.

        ``what`` is ``query`` or ``AML``. Where a person is may only be asked for a call of theirs, and a false position
        can send help the wrong way: on a real service both need the number in the file.
        """
        if not self._real:
            return
        locate = self._testbed.safety.locate
        if not any(_fits(_bare(number), pattern) for pattern in locate):
            raise InterlockError(
                f"{what} of {number or 'a withheld number'} is not allowed: {self._why()}, and safety.locate names "
                f"{_listed(locate)}"
            )

    def text(self, number: str) -> None:
        """Allow a text to ``number`` (a number as a person writes it, or a name), or raise InterlockError.

        Ofcom's reserved numbers are nobody's and are always allowed; 999 and the like need a dated permit.
        """
        if not self._real:
            return
        bare = _bare(unicodedata.normalize("NFKC", number).strip())
        code = self._service(bare)
        if code is not None:
            self._need_permit("emergency_call", code)
            return
        allowed = self._testbed.safety.text
        if not is_reserved(bare) and not any(_fits(bare, pattern) for pattern in allowed):
            raise InterlockError(
                f"a text to {bare or 'nobody'} is not allowed: {self._why()}, and safety.text names {_listed(allowed)}"
            )

    def submit(self, component: str) -> None:
        """Allow a report to a Contact Us system by its component's name, or raise InterlockError.

        A false report to a real one sends people out: it needs the name in the file.
        """
        if self._real and component not in self._testbed.safety.submit:
            raise InterlockError(
                f"a report to {component} is not allowed: {self._why()}, and safety.submit names "
                f"{_listed(self._testbed.safety.submit)}"
            )

    def flood(self, component: str) -> None:
        """Allow broken signalling, much of it, to a component, or raise InterlockError.

        It may stop what it is sent to: to real equipment it needs a dated permit.
        """
        if self._real:
            self._need_permit("flood", component)

    def mail(self, address: str) -> None:
        """Allow a mail to ``address`` by a relay, or raise InterlockError.

        A relay is real whatever the components are: it is asked where all is simulated too. Domains that are reserved
        (RFC 2606, RFC 6761) are nobody's and always allowed.
        """
        domain = address.rpartition("@")[2].casefold()
        if not is_reserved_domain(domain) and address.casefold() not in {
            each.casefold() for each in self._testbed.safety.mail
        }:
            raise InterlockError(
                f"a mail to an address at {domain or 'no domain'} is not allowed: safety.mail does not name it"
            )

    def _service(self, number: str) -> str | None:
        """Return the guarded short code that a number leads to, what may stand before it taken off; else None."""
        begun = {number.partition(";")[0]}
        while begun:
            found = next((each for each in begun if each in self._guarded), None)
            if found is not None:
                return found
            begun = {each[len(p) :] for each in begun for p in _PREFIXES if each.startswith(p) and each != p}
        return None

    def _need_permit(self, what: str, target: str) -> None:
        fitting = [each for each in self._testbed.safety.permits if (each.what, each.target) == (what, target)]
        if any(each.valid_from <= self._today <= each.valid_until for each in fitting):
            return
        if not fitting:
            raise InterlockError(f"{what} to {target} needs a dated permit under safety.permits: {self._why()}")
        windows = " and ".join(
            f"the permit of {each.approved_by} holds from {each.valid_from} to {each.valid_until}" for each in fitting
        )
        raise InterlockError(f"{what} to {target}: {windows}; today is {self._today}")

    def _why(self) -> str:
        shown = ", ".join(self._real[:3]) + (" …" if len(self._real) > 3 else "")
        return f"{shown} of testbed {self._testbed.name!r} {'is' if len(self._real) == 1 else 'are'} not simulated"


def _dialled(target: str) -> str:
    """Return the number, user or service URN that a target leads to, as the other side would read it.

    Escapes are undone after the user part is found, so that an escaped ``@`` can't hide what follows it. A user with
    parameters (``;isub=…``, ``;phone-context=…``) stays whole: they change where it leads, so only a list that names
    all of it allows it.
    """
    begun = unquote(target).strip()
    if begun.lower().startswith(SERVICE_URN):
        return begun.lower()
    rest = _SCHEME.sub("", target.strip())
    user, at, _host = rest.rpartition("@")
    number = unquote(user if at else rest.partition("?")[0])
    if not at and _SCHEME.match(target.strip()) and not target.strip().lower().startswith("tel:"):
        number = number.partition(";")[0]  # sip:host;transport=udp: the parameters are the URI's
    number = unicodedata.normalize("NFKC", number)
    if number.lower().startswith(SERVICE_URN):
        return number.lower()
    return _bare(number)


def _bare(number: str) -> str:
    """Return a number without what only makes it readable; a name (``govan-12``) stays as it is."""
    head, semicolon, parameters = number.partition(";")
    digits = _SEPARATORS.sub("", head)
    return (digits if _DIGITS.match(digits) else head) + semicolon + parameters


def _fits(number: str, pattern: str) -> bool:
    pattern = _bare(pattern)
    return number.startswith(pattern[:-1]) if pattern.endswith("*") else number == pattern


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
