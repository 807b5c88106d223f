"""What an agent's messages tell of it (URI, Contact, Allow, Supported), written once for each way that it is reached.

A way is a kind of flow (`flow.kind_of`), with `sips` before it where a SIPS URI was called: our Contact has to be one
too then (RFC 3261 §8.1.1.8, §12.1.1).
"""

from __future__ import annotations

from collections.abc import Callable

from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.flow import SECURE, UDP, shown
from harness.endpoints.sip.transports import SipTransports
from harness.protocols.sip.fields import Fields, checked, checked_text
from harness.protocols.sip.grammar import quote


class _Written(dict[str, str]):
    """Header lines as text by way; a way that none is there for is written when it is first asked for."""

    def __init__(self, card: Card, provisional: bool) -> None:
        super().__init__()
        self._card = card
        self._provisional = provisional

    def __missing__(self, way: str) -> str:
        card = self._card
        fields = [card.contact(way)]
        if not self._provisional:
            fields += [card.allow(), *card.abilities.headers]
        self[way] = text = checked_text([*fields, *card.abilities.server])
        return text


class Card:
    """One agent's."""

    def __init__(
        self,
        user: str,
        display: str,
        abilities: Abilities,
        transports: SipTransports,
        allow: Callable[[], tuple[str, str]],
    ) -> None:
        """`display`: our name, shown beside our number, if any; `allow`: gives our Allow header, once a way.

        Raises SipLocalError where the name can't be sent.
        """
        self.allow = allow
        self._user = f"{user}@" if user else ""
        self.abilities = abilities
        self._transports = transports
        self._headers: dict[str, Fields] = {}
        self.answers = _Written(self, provisional=False)
        """What a 2xx carries of us, by way."""
        self.provisional = _Written(self, provisional=True)
        """What a provisional response carries of us, by way."""
        self.aor = self.uri().partition(";")[0]
        """Our URI as From names us: without a transport, which From may not tell (§19.1.1)."""
        self.sender = f"{quote(display)} <{self.aor}>" if display else f"<{self.aor}>"
        """What our From holds before its tag."""
        checked([("From", self.sender)])

    def uri(self, way: str = UDP) -> str:
        """Our own SIP URI for those whom we reach so: `sip:user@host:port`, with the transport where it is not UDP.

        Where we don't listen on that transport, it names another one by which we are reached.
        """
        kind = way.removeprefix(SECURE)
        reached = self._transports.reached_by(kind)
        host, port = self._transports.locals[reached]
        address = f"{self._user}{shown(host)}:{port}"
        if kind != way:
            return f"sips:{address}"
        transport = reached.removesuffix("6")
        return f"sip:{address}" if transport == UDP else f"sip:{address};transport={transport.lower()}"

    def contact(self, way: str) -> tuple[str, str]:
        """Our Contact header."""
        return "Contact", f"<{self.uri(way)}>"

    def headers(self, way: str) -> Fields:
        """What an INVITE and the like carry of us: Contact, Allow, Supported."""
        found = self._headers.get(way)
        if found is None:
            told = [self.contact(way), self.allow(), *self.abilities.headers, *self.abilities.user_agent]
            found = self._headers[way] = checked(told)
        return found
