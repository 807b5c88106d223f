"""What a user agent refuses before the application sees it, in the order of RFC 3261 §8.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip import session_timer
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow
from harness.protocols.sip import body
from harness.protocols.sip.grammar import METHODS
from harness.protocols.sip.message import Request

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

_RARE: Final = frozenset(
    (
        *("accept", "require", "replaces", "session-expires"),
        *("content-encoding", "content-disposition", "resource-priority"),
    )
)
"""Headers of an INVITE that ask for a closer look."""
_WITHIN_ONLY: Final = frozenset(("BYE", "UPDATE", "PRACK", "INFO"))
"""Methods that mean nothing outside a dialog."""
_SCHEMES: Final = ("sip", "sips", "tel", "urn")


class Admission:
    """What one agent lets in."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self._usual = agent.registry is None and not agent.abilities.demands

    def is_usual(self, request: Request) -> bool:
        """Whether an INVITE is like nearly all of them, and can't be refused before the application has seen it."""
        return (
            self._usual
            and request.uri_text[:4] == "sip:"
            and (not request.body or request.envelope.first.get("content-type") == body.SDP)
            and _RARE.isdisjoint(request.envelope.first)
        )

    def is_refused(self, request: Request, exchange: Exchange, flow: Flow) -> bool:
        """Answer what can't be served, in the order of §8.2; whether that was done. Raises SipRemoteError."""
        agent = self._agent
        method = request.method
        tag = agent.endpoint.new_tag()
        if method not in METHODS:
            exchange.respond(request.response(501, to_tag=tag, headers=[agent.allow]))
        elif not self._serves(method):
            exchange.respond(request.response(405, to_tag=tag, headers=[agent.allow]))
        elif method in _WITHIN_ONLY:
            exchange.respond(request.response(481, to_tag=tag))
        elif agent.registry is not None and agent.registry.challenged(request, exchange, flow):
            pass
        elif request.uri_text.partition(":")[0].lower() not in _SCHEMES:
            exchange.respond(request.response(416, to_tag=tag))
        elif (
            self.extension_refused(request, exchange)
            or self._content_refused(request, exchange)
            or (method == "INVITE" and self._extension_demanded(request, exchange))
        ):
            pass
        else:
            return method == "INVITE" and session_timer.refused(request, exchange, agent.abilities, tag)
        return True

    def _serves(self, method: str) -> bool:
        agent = self._agent
        if method == "REGISTER":
            return agent.registry is not None and agent.registry.registrar is not None
        return method in agent.abilities.methods

    def _extension_demanded(self, request: Request, exchange: Exchange) -> bool:
        agent = self._agent
        offered = request.options("supported") | request.options("require")
        missing = [tag for tag in agent.abilities.demands if tag.lower() not in offered]
        if missing:
            headers = [("Require", ", ".join(missing))]
            exchange.respond(request.response(421, to_tag=agent.endpoint.new_tag(), headers=headers))
        return bool(missing)

    def extension_refused(self, request: Request, exchange: Exchange) -> bool:
        agent = self._agent
        unknown = [option for option in request.values("require") if option.lower() not in agent.abilities.supported]
        if unknown:
            headers = [("Unsupported", ", ".join(unknown))]
            exchange.respond(request.response(420, to_tag=agent.endpoint.new_tag(), headers=headers))
            return True
        if "resource-priority" in request.options("require"):
            known = agent.abilities.resource_priorities
            asked = request.values("resource-priority")
            if not any(value.partition(".")[0].lower() in known for value in asked):
                exchange.respond(request.response(417, to_tag=agent.endpoint.new_tag()))  # RFC 4412 §4.6.2
                return True
        return False

    def _content_refused(self, request: Request, exchange: Exchange) -> bool:
        """§8.2.3: a body that we can't read, unless we are told that it does not matter."""
        encoding = (request.get("content-encoding") or "identity").strip().lower()
        agent = self._agent
        tag = agent.endpoint.new_tag()
        if request.body and encoding != "identity":
            exchange.respond(request.response(415, to_tag=tag, headers=[("Accept-Encoding", "identity")]))
            return True
        if request.method != "INVITE":
            return False
        takes = request.get("accept")
        if takes is not None and not any(kind in takes.lower() for kind in (body.SDP, "application/*", "*/*")):
            exchange.respond(request.response(406, to_tag=tag))  # what we answer with is a session description
            return True
        if not request.body or self._can_be_left(request) or self._holds_session(request):
            return False
        exchange.respond(request.response(415, to_tag=tag, headers=[("Accept", agent.accept)]))
        return True

    def _can_be_left(self, request: Request) -> bool:
        return "handling=optional" in (request.get("content-disposition") or "").replace(" ", "").lower()

    def _holds_session(self, request: Request) -> bool:
        """Whether a body is a session description, or a multipart with one in which nothing else must be understood."""
        disposition = (request.get("content-disposition") or "session").partition(";")[0].strip().lower()
        if request.content_type == body.SDP:
            return disposition in ("session", "render", "early-session")
        if not request.content_type.startswith("multipart/"):
            return False
        needed = [part for part in body.parts_of(request) if not part.is_optional]
        return not needed or any(part.content_type == body.SDP for part in needed)
