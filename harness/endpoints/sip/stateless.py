"""Answers that need no transaction: to what could not be read, and where there is no room for one (RFC 3261 §8.2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.flow import DEFAULT_PORTS, UDP, Flow, Hop, shown
from harness.errors import SipRemoteError
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.salvage import salvage

if TYPE_CHECKING:
    from harness.endpoints.sip.endpoint import SipEndpoint

SHOWN_BYTES: Final = 60
"""Bytes of a garbage datagram that a warning shows."""


class Stateless:
    """One endpoint's."""

    def __init__(self, endpoint: SipEndpoint) -> None:
        self._endpoint = endpoint

    def refuse(self, data: bytes, flow: Flow, error: SipRemoteError) -> None:
        """Something came that is no message: say so to who sent it, as far as that can be done."""
        self._endpoint.notes.warn(
            "sip.garbage", flow, reason=str(error), bytes=len(data), begins=repr(data[:SHOWN_BYTES])
        )
        salvaged = salvage(data)
        if salvaged is not None:
            answer = salvaged.answer(flow.peer, self._endpoint.new_tag(), self._warning(str(error)))
            port = salvaged.sent_by_port or DEFAULT_PORTS[flow.transport]
            if flow.reliable or salvaged.wants_rport or port == flow.peer[1]:
                flow.send(answer)
            else:
                self._endpoint.flow_to(Hop(UDP, flow.peer[0], port)).send(answer)

    def bad_request(self, request: Request, reason: str) -> Response:
        """The 400 to a request."""
        headers = [("Warning", self._warning(reason))]
        return request.response(400, to_tag=self._endpoint.new_tag(), headers=headers)

    def _warning(self, reason: str) -> str:
        """A Warning value: 399 is the miscellaneous one (§20.43); its text is for a person."""
        text = "".join(char if char.isprintable() and char.isascii() and char not in '"\\' else "?" for char in reason)
        host, port = self._endpoint.local
        return f'399 {shown(host)}:{port} "{text[:120]}"'

    def reply(
        self, request: Request, flow: Flow, status: int, reason: str = "", headers: list[tuple[str, str]] | None = None
    ) -> None:
        """Answer without a transaction, as §8.2.7 allows."""
        if request.method == "ACK":
            return
        if status == 400:
            response = self.bad_request(request, reason)
        else:
            response = request.response(status, to_tag=self._endpoint.new_tag(), headers=headers or ())
        if self._endpoint.trace:
            self._endpoint.notes.response("sip.sent", response, flow)
        flow.send(bytes(response))
