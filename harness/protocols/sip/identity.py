"""Who is calling: P-Asserted-Identity and P-Preferred-Identity (RFC 3325), Remote-Party-ID, Privacy (RFC 3323), From.

Theory. From is what the caller says of itself. P-Asserted-Identity is what a network that checked it says; it counts
only where it comes from a peer that is trusted, and is not passed on to one that is not when the caller asks for
privacy (`id`). Remote-Party-ID (draft-ietf-sip-privacy-04) is its forerunner, still spoken by Cisco's equipment; its
`screen` says whether the identity was checked. P-Preferred-Identity is a wish to one's own proxy, never evidence.

`caller_of` takes, of a trusted peer: P-Asserted-Identity, a tel URI before a SIP URI; then Remote-Party-ID of the
calling party, a screened one before another; then From. Of any other peer: From alone. In the United Kingdom's terms
what is asserted is the network number, and a From that differs is the presentation number: both are kept.

Privacy is a wish about what the called person is shown. An emergency service is told the number all the same, so a
withheld number is marked, not dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote as percent_encode

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import TOKEN
from harness.protocols.sip.headers import NameAddr, write_params
from harness.protocols.sip.message import Message
from harness.protocols.sip.uri import Params, Uri, parse_hostport

ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""The From of one who tells nothing (RFC 3323 section 4.1.1.3)."""
_WITHHELD: Final = frozenset(("anonymous", "restricted", "private"))
"""Users that stand for one who does not want to be known: RFC 3323's, and others that networks are seen to send."""
_NOBODY: Final = _WITHHELD | {"unavailable", "unknown"}
"""With those for whom the network has no number (3GPP TS 24.229: `unavailable@unknown.invalid`)."""
MAX_PRIVACY: Final = 16
"""Values of one Privacy header."""
NUMBER_SAFE: Final = "+*-_.!~'()"
"""What a number may hold unescaped in a SIP URI's user part; `#` may not (RFC 3261 section 25.1)."""


class Privacy(StrEnum):
    """Registered values of the Privacy header."""

    HEADER = "header"
    SESSION = "session"
    USER = "user"
    NONE = "none"
    CRITICAL = "critical"
    ID = "id"
    """The asserted identity stays among those who are trusted (RFC 3325)."""
    HISTORY = "history"
    """So do History-Info's entries (RFC 7044)."""


HIDES_CALLER: Final = frozenset((Privacy.ID, Privacy.USER, Privacy.HEADER))
"""What asks that the called person is not shown who calls."""


class Telling(StrEnum):
    """The headers in which a caller can be told, besides From."""

    ASSERTED = "P-Asserted-Identity"
    PREFERRED = "P-Preferred-Identity"
    REMOTE_PARTY = "Remote-Party-ID"


@dataclass(frozen=True, slots=True)
class RemoteParty:
    """One Remote-Party-ID (draft-ietf-sip-privacy-04 section 5.1)."""

    address: NameAddr
    party: str = "calling"
    """`calling` or `called`."""
    screened: bool = False
    """Whether a network checked it (`screen=yes`)."""
    privacy: str = "off"
    """`full`, `name`, `uri` or `off`, a `-network` cut off."""
    id_type: str = "subscriber"

    @classmethod
    def parse(cls, text: str) -> RemoteParty:
        """Parse one value; raises SipRemoteError."""
        address = NameAddr.parse(text)
        params = {name: (value or "").strip('"').lower() for name, value in address.params.items()}
        privacy = (params.get("privacy") or "off").partition(",")[0].partition("-")[0]
        return cls(
            NameAddr(address.uri, address.display),
            params.get("party") or "calling",
            params.get("screen") == "yes",
            privacy,
            params.get("id-type") or "subscriber",
        )

    @property
    def is_hidden(self) -> bool:
        """Whether the number is not to be shown."""
        return self.privacy in ("full", "uri")

    def __str__(self) -> str:
        params: Params = {"party": self.party, "screen": "yes" if self.screened else "no", "privacy": self.privacy}
        if self.id_type != "subscriber":
            params["id-type"] = self.id_type
        return f"{self.address}{write_params(params)}"


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller that a trunk or telephone is to tell."""

    number: str
    """`+447700900123`, `2001`, or a user name."""
    host: str
    """The domain or address of its SIP URIs."""
    display: str = ""
    presented: str = ""
    """The number in From, where it is not `number`: a presentation number."""
    privacy: frozenset[str] = frozenset()
    """Values of Privacy; with one of HIDES_CALLER From tells nobody."""
    screened: bool = True
    """Whether `number` was checked; told in Remote-Party-ID alone."""

    def __post_init__(self) -> None:
        """Raises SipLocalError on what no URI or Privacy header can hold."""
        if not self.number:
            raise SipLocalError("a caller without a number or name")
        if not self.display.isprintable():
            raise SipLocalError(f"a display name with a control character: {self.display!r}")
        try:
            parse_hostport(self.host)
        except SipRemoteError as error:
            raise SipLocalError(f"the caller's host: {error}") from error
        if any(TOKEN.fullmatch(value) is None for value in self.privacy):
            raise SipLocalError(f"Privacy values that are no tokens: {', '.join(sorted(self.privacy))}")
        if Privacy.NONE in self.privacy and len(self.privacy) > 1:
            raise SipLocalError("Privacy none stands alone (RFC 3323 section 4.2)")

    @property
    def is_withheld(self) -> bool:
        """Whether the called person is not to see who calls."""
        return not HIDES_CALLER.isdisjoint(self.privacy)

    @property
    def from_value(self) -> str:
        """The From, without its tag."""
        return ANONYMOUS if self.is_withheld else str(self._address(self.presented or self.number))

    def headers(self, *telling: Telling, trusted: bool = True) -> list[tuple[str, str]]:
        """The headers besides From; P-Asserted-Identity where ``telling`` names none.

        To a peer that is not ``trusted`` a withheld caller tells Privacy alone (RFC 3325 section 7).
        """
        found: list[tuple[str, str]] = []
        hidden = self.is_withheld and not trusted
        for way in () if hidden else telling or (Telling.ASSERTED,):
            address = self._address(self.number)
            if way is Telling.REMOTE_PARTY:
                privacy = "full" if self.is_withheld else "off"
                found.append((way, str(RemoteParty(address, screened=self.screened, privacy=privacy))))
                continue
            found.append((way, str(address)))
            if self.number.startswith("+"):  # a second one in RFC 3966's form, which needs no domain
                found.append((way, f"<tel:{self.number}>"))
        if self.privacy:
            found.append(("Privacy", privacy_value(self.privacy)))
        return [(str(name), value) for name, value in found]

    def _address(self, number: str) -> NameAddr:
        params: Params = {"user": "phone"} if number.startswith("+") else {}
        user = percent_encode(number, safe=NUMBER_SAFE)
        return NameAddr(Uri("sip", user, host=self.host, params=params), self.display)


class Source(StrEnum):
    """Where an identity was read."""

    ASSERTED = "P-Asserted-Identity"
    REMOTE_PARTY = "Remote-Party-ID"
    FROM = "From"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling, as far as a request tells."""

    number: str
    """As it was written: a telephone number or a user name; empty where From is all there is and tells nobody."""
    display: str
    uri: Uri
    source: Source
    is_vouched_for: bool
    """Whether a trusted peer asserts it: P-Asserted-Identity, or a screened Remote-Party-ID."""
    is_withheld: bool
    """Whether the called person is not to see it. A number that the network lacks is not withheld."""
    presented: str
    """The number in From; empty where that tells nobody."""
    privacy: frozenset[str] = field(default_factory=frozenset)


def caller_of(request: Message, *, trusted: bool) -> Identity:
    """Who is calling, in the order that this module's head states; ``trusted``: whether the peer is.

    Raises SipRemoteError where a header that counts can't be read, or there is no From.
    """
    sender = request.from_
    presented = number_of(sender.uri)
    privacy = privacy_of(request)
    withheld = not HIDES_CALLER.isdisjoint(privacy)
    withheld = withheld or (is_anonymous(sender.uri) and Privacy.NONE not in privacy)
    found, source, vouched = sender, Source.FROM, False
    if trusted:
        asserted = sorted(request.name_addrs(Telling.ASSERTED), key=lambda each: each.uri.scheme != "tel")
        parties = [RemoteParty.parse(value) for value in request.values(Telling.REMOTE_PARTY)]
        calling = sorted((each for each in parties if each.party == "calling"), key=lambda each: not each.screened)
        if asserted:
            found, source, vouched = asserted[0], Source.ASSERTED, True
            if not found.display and len(asserted) > 1:  # the SIP URI beside a tel URI brings the name
                found = NameAddr(found.uri, asserted[1].display)
        elif calling:
            found, source, vouched = calling[0].address, Source.REMOTE_PARTY, calling[0].screened
            withheld = withheld or calling[0].is_hidden
    display = found.display if number_of(found.uri) else ""
    return Identity(number_of(found.uri), display, found.uri, source, vouched, withheld, presented, privacy)


def preferred_of(request: Message) -> list[NameAddr]:
    """What P-Preferred-Identity wishes, for a proxy to hold against who registered. Raises SipRemoteError."""
    return request.name_addrs(Telling.PREFERRED)


def number_of(uri: Uri) -> str:
    """The number, or user name, of a SIP or tel URI; empty where it stands for nobody, or there is none."""
    user = uri.user_text.partition(";")[0]
    if user.lower() in _NOBODY or uri.host.lower().endswith(".invalid"):
        return ""
    return user


def is_anonymous(uri: Uri) -> bool:
    """Whether a URI stands for one who does not want to be known (RFC 3323 section 4.1.1.3)."""
    return uri.user_text.lower() in _WITHHELD or uri.host.lower() == "anonymous.invalid"


def privacy_of(message: Message) -> frozenset[str]:
    """The values of Privacy, lower case; commas between them are taken for semicolons. Raises SipRemoteError."""
    values = [part.strip().lower() for line in message.lines("privacy") for part in line.replace(",", ";").split(";")]
    if len(values) > MAX_PRIVACY or any(TOKEN.fullmatch(value) is None for value in values):
        raise SipRemoteError(f"not a Privacy header of up to {MAX_PRIVACY} values: {'; '.join(values)[:80]!r}")
    return frozenset(values)


def privacy_value(values: frozenset[str]) -> str:
    """The value of a Privacy header; `critical`, which is about the others, stands last."""
    return ";".join(sorted(values, key=lambda value: (value == Privacy.CRITICAL, value)))
