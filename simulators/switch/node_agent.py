"""The user agent of one node of the switch, and what is registered at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.exchange import Exchange
from harness.protocols.sip.message import Request

if TYPE_CHECKING:
    from simulators.switch.admission import Admission


class NodeAgent(UserAgent):
    """A user agent whose OPTIONS tell of a node's faults."""

    admission: Admission

    def answer_options(self, request: Request, exchange: Exchange) -> None:
        """As UserAgent's; 503 on a trunk that a test made refuse."""
        if self.admission.refuses_options(request, exchange.flow):
            exchange.respond(request.response(503, to_tag=self.endpoint.new_tag()))
        else:
            super().answer_options(request, exchange)


class Contacts(dict[str, list[str]]):
    """What is registered for an address-of-record, looked up when it is asked for."""

    def __init__(self, contacts: Callable[[str], list[str]]) -> None:
        super().__init__()
        self._contacts = contacts

    def __missing__(self, aor: str) -> list[str]:
        return self._contacts(aor)
