"""What a user agent does with each request that comes: finds whom it is for, and hands it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.endpoints.sip import refer
from harness.endpoints.sip.admission import Admission
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.endpoint import RETRY_AFTER
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.subscription import Subscriber
from harness.errors import SdpError, SipRemoteError
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.grammar import METHODS
from harness.protocols.sip.message import Request

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent


class Usage(Protocol):
    """What a dialog is used for besides a call: a subscription."""

    call_id: str
    local_tag: str

    @property
    def dialog(self) -> Dialog | None:
        """The dialog; None until the peer has answered."""

    def begin(self, notify: Request) -> None:
        """A NOTIFY outran the answer to our request, and makes the dialog. Raises SipRemoteError."""

    def receive(self, request: Request, exchange: Exchange) -> None:
        """A request within the dialog, CSeq checked. Raises SipRemoteError (a 400)."""


class Dispatcher:
    """The taking side of one user agent."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self._calls = agent.calls_by_dialog
        self._merged: dict[tuple[str, str], IncomingCall] = {}
        """Calls that came in by Call-ID and From tag."""
        self.admission: Admission

    def forget(self, call: IncomingCall) -> None:
        """A call has ended."""
        if call.merged is not None and self._merged.get(call.merged) is call:
            del self._merged[call.merged]

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
            if self.admission.is_usual(request) or not self.admission.is_refused(request, exchange, flow):
                self._invited(request, exchange, flow)
        elif not self.admission.is_refused(request, exchange, flow):
            self._outside(request, exchange, flow)

    # Outside dialogs

    def _invited(self, request: Request, exchange: Exchange, flow: Flow) -> None:
        agent = self._agent
        if agent.on_invite is None:
            exchange.respond(request.response(480, to_tag=agent.endpoint.new_tag()))
            return
        envelope = request.envelope
        key = envelope.call_id, envelope.from_tag
        twin = self._merged.get(key)
        if twin is not None and twin.request.envelope.number == envelope.number:
            # A proxy forked, and two of its branches lead to us (§8.2.2.2).
            exchange.respond(request.response(482, to_tag=agent.endpoint.new_tag()))
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
        self._merged[key] = call
        call.merged = key
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
        if "expires" in envelope.first and not call.is_over:
            call.expire_after(request)

    def _replaced(self, request: Request) -> tuple[int, Call | None]:
        """The call that an INVITE with Replaces takes the place of, or the status that refuses it (RFC 3891 §3)."""
        lines = request.lines("replaces")
        if len(lines) > 1:
            raise SipRemoteError("more than one Replaces header")
        call_id, to_tag, from_tag, early_only = refer.replaced_by(lines[0])
        call = self._calls.get((call_id, to_tag))
        dialog = call.early.get(from_tag) if isinstance(call, OutgoingCall) else call.dialog if call else None
        if call is None or dialog is None or dialog.remote_tag != from_tag:
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
            headers = [agent.allow] if status == 405 else []
            exchange.respond(request.response(status, to_tag=agent.endpoint.new_tag(), headers=headers))
        elif method == "SUBSCRIBE":
            self._subscribed(request, exchange, flow)
        elif method == "REFER":
            self._referred(request, exchange, None, flow)
        else:  # a NOTIFY that no subscription asked for: message-waiting is sent so by old systems (RFC 3842 §3.11)
            status = agent.on_notify(request) if agent.on_notify is not None else 481
            exchange.respond(request.response(status, to_tag=agent.endpoint.new_tag()))

    def _subscribed(self, request: Request, exchange: Exchange, flow: Flow) -> None:
        agent = self._agent
        if not agent.has_room_for_usage:
            agent.warn("sip.overload", flow, call_id=request.call_id)
            retry = [("Retry-After", str(RETRY_AFTER))]
            exchange.respond(request.response(503, to_tag=agent.endpoint.new_tag(), headers=retry))
            return
        subscriber = Subscriber(agent, request, exchange, flow)
        if agent.on_subscribe is None or subscriber.event not in agent.events:
            subscriber.reject()
        else:
            agent.on_subscribe(subscriber)

    def _referred(self, request: Request, exchange: Exchange, call: Call | None, flow: Flow) -> None:
        agent = self._agent
        referral = refer.Referral(agent, request, exchange, call, flow)
        if referral.method != "INVITE":
            referral.reject(501)  # RFC 3515 §2.1 allows any method; placing calls is what we do
        elif agent.on_refer is None:
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
            exchange.respond(request.response(status, headers=[agent.allow]))
            return
        if "require" in envelope.first and self.admission.extension_refused(request, exchange):
            return
        if agent.registry is not None and agent.registry.challenged(request, exchange, flow):
            return
        if self._in_order(dialog, request, exchange, flow):
            call.receive(request, exchange)

    def _within_usage(self, request: Request, exchange: Exchange) -> None:
        usage = self._agent.find_usage(request.call_id, request.to_tag)
        if usage is None:
            exchange.respond(request.response(481))
            return
        if usage.dialog is None and request.method == "NOTIFY":
            usage.begin(request)
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
        agent = self._agent
        status = agent.on_message(request) if agent.on_message is not None else 405
        exchange.respond(request.response(status, headers=[agent.allow] if status == 405 else []))


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
    exchange.respond(request.response(489, headers=[call.agent.allow_events]))
