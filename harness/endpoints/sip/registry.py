"""The asking side of an agent: challenges requests, keeps a registrar's bindings, and lets them lapse by the wheel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from harness.endpoints.sip.endpoint import SipEndpoint
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.wheel import Timer
from harness.protocols.sip.digest import Authenticator, Verdict
from harness.protocols.sip.message import Request
from harness.protocols.sip.registrar import Registrar

MAX_FLOWS: Final = 10_000
"""Contacts whose connection is kept."""


class Registry:
    """What an agent that registers or authenticates others needs."""

    def __init__(
        self,
        endpoint: SipEndpoint,
        registrar: Registrar | None,
        on_register: Callable[[str], None] | None,
        passwords: Mapping[str, str] | None,
        methods: frozenset[str],
        secret: bytes,
        realm: str,
        algorithms: Sequence[str],
    ) -> None:
        self.registrar = registrar
        self.vouches: Callable[[Request, Flow], bool] | None = None
        """Asked before a request other than REGISTER is challenged; one that it returns true for is let in as it is.

        So a switch lets its trunks in by their address, and telephones by the contact that they registered.
        """
        self._endpoint = endpoint
        self._on_register = on_register
        self._methods = methods
        self._authenticator: Authenticator | None = None
        if passwords is not None:
            self._authenticator = Authenticator(
                realm or endpoint.local[0], passwords.get, secret, algorithms=algorithms
            )
        self._timer: Timer | None = None
        self._flows: dict[str, Flow] = {}
        """The connections by which contacts were registered."""

    def close(self) -> None:
        """Let no binding lapse any more."""
        if self._timer is not None:
            self._timer.cancel()

    def challenged(self, request: Request, exchange: Exchange, flow: Flow) -> bool:
        """Whether a request was answered with 401 or 403. Raises SipRemoteError on credentials that can't be read."""
        if self._authenticator is None or request.method not in self._methods:
            return False
        if request.method != "REGISTER" and self.vouches is not None and self.vouches(request, flow):
            return False
        now = self._now()
        verdict, user = self._authenticator.check(self._credentials(request), request.method, now, request.body)
        # REGISTER is for one's own address-of-record alone (§10.3 step 3).
        if verdict is Verdict.GOOD and (request.method != "REGISTER" or request.to.uri.user_text == user):
            return False
        tag = self._endpoint.new_tag()
        if verdict is Verdict.GOOD:
            self._endpoint.notes.warn("sip.forbidden", flow, user=user, call_id=request.call_id)
            exchange.respond(request.response(403, to_tag=tag))
            return True
        if verdict is Verdict.BAD:
            self._endpoint.notes.warn("sip.bad-credentials", flow, user=user, call_id=request.call_id)
        asked = self._authenticator.challenges(now, stale=verdict is Verdict.STALE)
        exchange.respond(request.response(401, to_tag=tag, headers=[("WWW-Authenticate", one) for one in asked]))
        return True

    def _now(self) -> float:
        return self._endpoint.notes.journal.now()

    def _credentials(self, request: Request) -> str | None:
        """The credentials for our realm: those for a proxy on the way may stand beside them."""
        lines = request.lines("authorization")
        assert self._authenticator is not None
        ours = f'realm="{self._authenticator.realm}"'
        return next((line for line in lines if ours in line), lines[0] if lines else None)

    def register(self, request: Request, exchange: Exchange) -> None:
        """Answer a REGISTER that is allowed. Raises SipRemoteError (a 400)."""
        assert self.registrar is not None
        endpoint = self._endpoint
        now = self._now()
        response = self.registrar.register(request, now, endpoint.new_tag())
        exchange.respond(response)
        flow = exchange.flow
        if response.status == 200 and flow.reliable and request.envelope.is_direct:
            # Who registers by a connection may have no port that others could connect to.
            self._keep_flow(request, flow)
        aor = request.to.uri.aor()
        if response.status == 200 and request.get("contact") is not None:
            contacts = [str(binding.contact.uri) for binding in self.registrar.bindings(aor, now)]
            endpoint.notes.journal.record(endpoint.notes.name, "registration.changed", aor=aor, contacts=contacts)
            self._set_timer()
            if self._on_register is not None:
                self._on_register(aor)

    def _keep_flow(self, request: Request, flow: Flow) -> None:
        if request.get("contact") in (None, "*"):
            return
        for contact in request.name_addrs("contact"):
            uri = str(contact.uri)
            kept = self.flow_of(uri)
            if len(self._flows) >= MAX_FLOWS:
                self._flows = {known: each for known, each in self._flows.items() if not each.is_gone}
            # Another host can't take over what is reached by a connection that is up.
            if len(self._flows) < MAX_FLOWS and (kept is None or kept.peer[0] == flow.peer[0]):
                self._flows[uri] = flow

    def flow_of(self, uri: str) -> Flow | None:
        """The connection by which a contact was registered; None where there was none, or it is gone."""
        flow = self._flows.get(uri)
        if flow is not None and flow.is_gone:
            del self._flows[uri]
            return None
        return flow

    def contacts(self, aor: str) -> list[str]:
        """The URIs registered for an address-of-record (`sip:user@host`), best `q` first, then newest first."""
        if self.registrar is None:
            return []
        return [str(binding.contact.uri) for binding in self.registrar.bindings(aor, self._now())]

    def _set_timer(self) -> None:
        assert self.registrar is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.registrar.next_expiry()
        if due is not None:
            delay = max(0.0, due - self._now())
            self._timer = self._endpoint.wheel.after(delay, self._lapse)

    def _lapse(self) -> None:
        assert self.registrar is not None
        for aor, contact in self.registrar.expire(self._now()):
            self._endpoint.notes.journal.record(
                self._endpoint.notes.name, "registration.lapsed", aor=aor, contact=contact
            )
            if self._on_register is not None:
                self._on_register(aor)
        self._set_timer()
