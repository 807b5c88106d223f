"""An exchange: one SIP transaction with the flow it goes by, its timers, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.wheel import Timer
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from harness.endpoints.sip.endpoint import SipEndpoint

Tell = Callable[[Response | None], None]
"""Given each response of a client transaction; None where nobody answered in time."""


class Exchange:
    """One transaction under way, or lingering."""

    __slots__ = ("_endpoint", "flow", "lingers", "owner", "tell", "timers", "transaction")

    def __init__(
        self, endpoint: SipEndpoint, transaction: ClientTransaction | ServerTransaction, flow: Flow, tell: Tell
    ) -> None:
        self._endpoint = endpoint
        self.timers: dict[str, Timer] = {}
        """Those that run, by letter; the endpoint's part."""
        self.lingers = False
        """Whether it only absorbs what comes late; the endpoint's part."""
        self.transaction = transaction
        self.flow = flow
        """Where its messages go."""
        self.tell = tell
        """For a server transaction: called with None when no ACK came."""
        self.owner: object = None
        """The call that it began, for the CANCEL that may follow."""

    def respond(self, response: Response) -> None:
        """Answer the peer's request. Raises SipLocalError after a final response."""
        endpoint = self._endpoint
        if endpoint.trace:
            endpoint.notes.response("sip.sent", response, self.flow)
        if self.flow.is_gone:
            self.flow = endpoint.flow_again(self.flow)
        endpoint.perform(self, cast(ServerTransaction, self.transaction).respond(response))

    @property
    def request(self) -> Request:
        """The request of ours that it is about."""
        return cast(ClientTransaction, self.transaction).request

    def release(self) -> None:
        """Let go of the core: nobody is told any more."""
        self.owner = None
        self.tell = tell_nobody

    def abandon(self) -> None:
        """Give up a request of ours that got no final response (§9.1)."""
        assert isinstance(self.transaction, ClientTransaction)
        self._endpoint.perform(self, self.transaction.abandon())


def tell_nobody(response: Response | None) -> None:
    """For an exchange whose core does not mind."""
