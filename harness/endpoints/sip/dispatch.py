"""What a user agent does with each request that comes: refuses it in the order of RFC 3261 §8.2, or hands it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from harness.endpoints.sip import refer, session_timer
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.endpoint import RETRY_AFTER
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.subscription import Subscriber, Subscription
from harness.errors import SdpError, SipRemoteError
from harness.protocols.sip import body
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.grammar import METHODS
from harness.protocols.sip.message import Request

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

_RARE: Final = frozenset(
    ("accept", "require", "replaces", "session-expires", "content-encoding", "content-disposition", "resource-priority")
)
"""Headers of an INVITE that ask for a closer look."""
_WITHIN_ONLY: Final = frozenset(("BYE", "UPDATE", "PRACK", "INFO"))
"""Methods that mean nothing outside a dialog."""
_SCHEMES: Final = ("sip", "sips", "tel", "urn")


class Usage(Protocol):
    """What a dialog is used for besides a call: a subscription."""

    call_id: str
    local_tag: str

    @property
    def dialog(self) -> Dialog | None:
        """The dialog; None until the peer has answered."""

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A request within the dialog, CSeq checked. Raises SipRemoteError (a 400)."""


class Dispatcher:
    """The taking side of one user agent."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self._calls = agent.calls_by_dialog

    def received(self, request: Request, exchange: Exchange | None, flow: Flow) -> None:
        """A new request, or an ACK (exchange None). Raises SipRemoteError (a 400)."""
        envelope = request.envelope
        if exchange is None:
            call = self._calls.get((envelope.call_id, envelope.to_tag))
            if call is not None:
                call.receive_ack(request)
            return
        method = request.method
        if method == "CANCEL":
            self._cancelled(request, exchange)
        elif envelope.to_tag:
            self._within_dialog(request, exchange, flow)
        elif method == "INVITE":
            if self._is_usual(request) or not self._refused(request, exchange, flow):
                self._invited(request, exchange, flow)
        elif not self._refused(request, exchange, flow):
            self._outside(request, exchange, flow)

    def _is_usual(self, request: Request) -> bool:
        """Whether an INVITE is like nearly all of them, and can't be refused before the application has seen it."""
        return (
            self._agent.registry is None
            and request.uri_text[:4] == "sip:"
            and (not request.body or request.envelope.first.get("content-type") == body.SDP)
            and _RARE.isdisjoint(request.envelope.first)
        )

    # Refusals

    def _refused(self, request: Request, exchange: Exchange, flow: Flow) -> bool:
        """Answer what can't be served, in the order of §8.2; whether that was done. Raises SipRemoteError."""
        agent = self._agent
        method = request.method
        tag = agent.endpoint.new_tag()
        if method not in METHODS:
            exchange.respond(request.response(501, to_tag=tag, headers=[agent.abilities.allow]))
        elif not self._serves(method):
            exchange.respond(request.response(405, to_tag=tag, headers=[agent.abilities.allow]))
        elif method in _WITHIN_ONLY:
            exchange.respond(request.response(481, to_tag=tag))
        elif agent.registry is not None and agent.registry.challenged(request, exchange, flow):
            pass
        elif request.uri_text.partition(":")[0].lower() not in _SCHEMES:
            exchange.respond(request.response(416, to_tag=tag))
        elif self._extension_refused(request, exchange) or self._content_refused(request, exchange):
            pass
        elif method == "INVITE" and session_timer.too_small(request, agent.abilities):
            exchange.respond(request.response(422, to_tag=tag, headers=[("Min-SE", str(agent.abilities.min_se))]))
        else:
            return False
        return True

    def _serves(self, method: str) -> bool:
        agent = self._agent
        if method == "REGISTER":
            return agent.registry is not None and agent.registry.registrar is not None
        return method in agent.abilities.methods

    def _extension_refused(self, request: Request, exchange: Exchange) -> bool:
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

    # Outside dialogs

    def _invited(self, request: Request, exchange: Exchange, flow: Flow) -> None:
        agent = self._agent
        if agent.on_invite is None:
            exchange.respond(request.response(480, to_tag=agent.endpoint.new_tag()))
            return
        if len(self._calls) >= agent.max_calls:
            agent.warn("sip.overload", flow, call_id=request.call_id, calls=len(self._calls))
            retry = [("Retry-After", str(RETRY_AFTER))]
            exchange.respond(request.response(503, to_tag=agent.endpoint.new_tag(), headers=retry))
            return
        replaced: Call | None = None
        if "replaces" in request.envelope.first and agent.abilities.replaces:
            status, replaced = self._replaced(request)
            if replaced is None:
                exchange.respond(request.response(status, to_tag=agent.endpoint.new_tag()))
                return
        call = IncomingCall(agent, request, exchange, flow)
        if replaced is not None:
            call.replaces = replaced
        self._calls[call.id, call.local_tag] = call
        call.announce()
        try:
            agent.on_invite(call)
        except SdpError as error:
            agent.warn("sip.offer-refused", flow, call_id=call.id, reason=str(error))
            if not call.is_over and not exchange.transaction.absorbing:
                call.reject(488)
            return
        except Exception as error:
            # A fault of our own side must not leave the caller ringing for ever; the loop's handler tells the tester.
            agent.journal.warn(agent.name, "sip.handler-failed", call_id=call.id, reason=repr(error))
            if not call.is_over and not exchange.transaction.absorbing:
                call.reject(500)
            raise
        if call.status == 0:
            call.trying()

    def _replaced(self, request: Request) -> tuple[int, Call | None]:
        """The call that an INVITE with Replaces takes the place of, or the status that refuses it (RFC 3891 §3)."""
        call_id, to_tag, from_tag, early_only = refer.replaced_by(request.values("replaces")[0])
        if len(request.lines("replaces")) > 1:
            raise SipRemoteError("more than one Replaces header")
        call = self._calls.get((call_id, to_tag))
        if call is None or call.dialog is None or call.dialog.remote_tag != from_tag:
            return 481, None
        if call.state in (CallState.ENDING, CallState.ENDED):
            return 603, None
        if call.state is CallState.ANSWERED:
            return (486, None) if early_only else (0, call)
        # An early dialog may be replaced at the side that placed the call alone.
        return (0, call) if isinstance(call, OutgoingCall) else (481, None)

    def _outside(self, request: Request, exchange: Exchange, flow: Flow) -> None:
        agent = self._agent
        method = request.method
        if method == "OPTIONS":
            agent.answer_options(request, exchange)
        elif method == "REGISTER":
            assert agent.registry is not None
            agent.registry.register(request, exchange)
        elif method == "MESSAGE":
            status = agent.on_message(request) if agent.on_message is not None else 405
            headers = [agent.abilities.allow] if status == 405 else []
            exchange.respond(request.response(status, to_tag=agent.endpoint.new_tag(), headers=headers))
        elif method == "SUBSCRIBE":
            subscriber = Subscriber(agent, request, exchange, flow)
            if agent.on_subscribe is None or subscriber.event not in agent.events:
                subscriber.reject()
            else:
                agent.on_subscribe(subscriber)
        elif method == "REFER":
            self._referred(request, exchange, None, flow)
        else:  # a NOTIFY that no subscription asked for: message-waiting is sent so by old systems (RFC 3842 §3.11)
            status = agent.on_notify(request) if agent.on_notify is not None else 481
            exchange.respond(request.response(status, to_tag=agent.endpoint.new_tag()))

    def _referred(self, request: Request, exchange: Exchange, call: Call | None, flow: Flow) -> None:
        agent = self._agent
        referral = refer.Referral(agent, request, exchange, call, flow)
        if agent.on_refer is None:
            referral.reject()
        else:
            agent.on_refer(referral)

    def _cancelled(self, cancel: Request, exchange: Exchange) -> None:
        agent = self._agent
        invite = agent.endpoint.find_invite(cancel)
        if invite is None:
            exchange.respond(cancel.response(481, to_tag=agent.endpoint.new_tag()))
            return
        call = invite.owner
        tag = call.local_tag if isinstance(call, IncomingCall) else agent.endpoint.new_tag()
        exchange.respond(cancel.response(200, to_tag=tag))
        if isinstance(call, IncomingCall):
            call.cancelled(cancel)

    # Within dialogs

    def _within_dialog(self, request: Request, exchange: Exchange, flow: Flow) -> None:
        agent = self._agent
        envelope = request.envelope
        call = self._calls.get((envelope.call_id, envelope.to_tag))
        if call is None:
            self._within_usage(request, exchange)
            return
        dialog = call.dialog
        if isinstance(call, OutgoingCall):
            dialog = call.early.get(envelope.from_tag)
        if dialog is None or dialog.remote_tag != envelope.from_tag:
            exchange.respond(request.response(481))
            return
        method = request.method
        if method not in agent.in_dialog:
            status = 405 if method in METHODS else 501
            exchange.respond(request.response(status, headers=[agent.abilities.allow]))
            return
        if "require" in envelope.first and self._extension_refused(request, exchange):
            return
        if self._in_order(dialog, request, exchange, flow):
            call.receive(request, exchange)

    def _within_usage(self, request: Request, exchange: Exchange) -> None:
        usage = self._agent.find_usage(request.call_id, request.to_tag)
        if usage is None:
            exchange.respond(request.response(481))
            return
        if usage.dialog is None and isinstance(usage, Subscription) and request.method == "NOTIFY":
            # The NOTIFY outran the answer to our SUBSCRIBE, and makes the dialog (RFC 6665 §4.4.1).
            usage.dialog = Dialog.of_request(request, usage.local_tag)
            usage.dialog.remote_cseq = None
            usage.dialog.local_cseq = 1
        dialog = usage.dialog
        if dialog is None or dialog.remote_tag != request.from_tag:
            exchange.respond(request.response(481))
        elif request.method == "OPTIONS":
            self._agent.answer_options(request, exchange)
        elif request.method not in ("NOTIFY", "SUBSCRIBE"):
            exchange.respond(request.response(405, headers=[("Allow", "NOTIFY, SUBSCRIBE, OPTIONS")]))
        elif self._in_order(dialog, request, exchange, exchange.flow):
            usage.receive(request, exchange)

    def _in_order(self, dialog: Dialog, request: Request, exchange: Exchange, flow: Flow) -> bool:
        """Take a request's CSeq and Contact into the dialog; §12.2.2: a number that is not higher gets 500."""
        try:
            dialog.receive(request)
        except SipRemoteError as error:
            self._agent.warn("sip.out-of-order", flow, call_id=request.call_id, reason=str(error))
            exchange.respond(request.response(500))
            return False
        return True

    # What calls do with requests within them; UserAgent.in_dialog names these by method

    def options(self, call: Call, request: Request, exchange: Exchange) -> None:
        """OPTIONS within a call."""
        self._agent.answer_options(request, exchange)

    def referred(self, call: Call, request: Request, exchange: Exchange) -> None:
        """REFER within a call. Raises SipRemoteError."""
        self._referred(request, exchange, call, exchange.flow)

    def message(self, call: Call, request: Request, exchange: Exchange) -> None:
        """MESSAGE within a call."""
        status = self._agent.on_message(request) if self._agent.on_message is not None else 405
        exchange.respond(request.response(status))


def reinvited(call: Call, request: Request, exchange: Exchange) -> None:
    """Re-INVITE. Raises SipRemoteError."""
    call.session.reinvited(request, exchange)


def updated(call: Call, request: Request, exchange: Exchange) -> None:
    """UPDATE. Raises SipRemoteError."""
    call.session.updated(request, exchange)


def pracked(call: Call, request: Request, exchange: Exchange) -> None:
    """PRACK. Raises SipRemoteError."""
    if isinstance(call, IncomingCall):
        call.prack(request, exchange)
    else:
        exchange.respond(request.response(481))


def informed(call: Call, request: Request, exchange: Exchange) -> None:
    """INFO (RFC 6086; without Info-Package as of RFC 2976)."""
    agent = call.agent
    package = (request.get("info-package") or "").partition(";")[0].strip()
    if package and package not in agent.abilities.info_packages:
        exchange.respond(request.response(469, headers=[("Recv-Info", ", ".join(agent.abilities.info_packages))]))
        return
    agent.journal.record(agent.name, "call.info", call_id=call.id, content_type=request.content_type, package=package)
    exchange.respond(request.response(call.on_info(call, request) if call.on_info is not None else 200))


def subscribed(call: Call, request: Request, exchange: Exchange) -> None:
    """SUBSCRIBE within a call: none of our packages share a call's dialog (RFC 6665 §4.5.2 advises against it)."""
    exchange.respond(request.response(489))
