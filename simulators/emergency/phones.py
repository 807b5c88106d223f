"""Where callers' telephones can be reached: those that registered, and those that called or texted lately."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from harness.endpoints.sip.agent import UserAgent
from harness.errors import SipRemoteError
from harness.protocols.sip.message import Request
from harness.protocols.sip.uri import Uri
from simulators.emergency.calling import e164

MAX_PHONES: Final = 10_000
"""Telephones that are remembered of each kind; the one unseen longest makes room."""


class Phones:
    """The network's idea of who is where."""

    def __init__(self) -> None:
        self._registered: OrderedDict[str, str] = OrderedDict()
        """Number to address-of-record: its host is the telephone's choice."""
        self._seen: OrderedDict[str, str] = OrderedDict()
        """Number to the Contact of what came from there last."""

    def registered(self, aor: str) -> None:
        """An address-of-record has registered, or has gone."""
        try:
            number = e164(Uri.parse(aor).user_text)
        except SipRemoteError:
            return
        if number:
            _keep(self._registered, number, aor)

    def seen(self, number: str, request: Request) -> None:
        """A request came from a number."""
        if not number:
            return
        try:
            contact = request.contact
        except SipRemoteError:
            return
        if contact is not None and contact.uri.scheme in ("sip", "sips"):
            _keep(self._seen, number, str(contact.uri))

    def knows(self, number: str) -> bool:
        """Whether the number was ever heard of."""
        return number in self._registered or number in self._seen

    def contact(self, agent: UserAgent, number: str) -> str | None:
        """The URI at which a number's telephone is; None where it is not to be reached."""
        registry = agent.registry
        if registry is not None and number in self._registered:
            found = next(iter(registry.contacts(self._registered[number])), None)
            if found is not None:
                return found
        return self._seen.get(number)


def _keep(among: OrderedDict[str, str], number: str, value: str) -> None:
    among.pop(number, None)
    if len(among) >= MAX_PHONES:
        among.popitem(last=False)
    among[number] = value
