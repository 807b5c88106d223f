"""Where an agent's requests go: outbound proxy, URI, or the connection of a contact; the interlock is asked here."""

from __future__ import annotations

from collections.abc import Callable

from harness.endpoints.sip.flow import UDP, Flow, Hop, hop_to
from harness.endpoints.sip.registry import Registry
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.dialog import Dialog
from harness.protocols.sip.grammar import MAX_HEADER_LINE, URI_FORBIDDEN
from harness.transport.tap import Address


class Routes:
    """One agent's."""

    def __init__(self, permit: Callable[[str], None] | None, outbound: Hop | None) -> None:
        self.permit = permit
        """Asked with the target URI before any request outside a dialog leaves; raises InterlockError to refuse."""
        self.outbound = outbound
        """Where all requests outside dialogs are sent."""
        self.registry: Registry | None = None
        """Whose contacts are reached by the connections by which they were registered."""

    def ask_permit(self, uri: str) -> None:
        """Ask the interlock for a request to `uri`. Raises InterlockError; SipLocalError where it is no URI."""
        if URI_FORBIDDEN.search(uri) or ":" not in uri:
            raise SipLocalError(f"not a URI: {uri!r}")
        if len(uri) > MAX_HEADER_LINE:
            raise SipLocalError(f"a URI longer than {MAX_HEADER_LINE} characters: {uri[:80]!r}...")
        if self.permit is not None:
            self.permit(uri)

    def way_to(self, uri: str, to: Address | Hop | Flow | None = None) -> Hop | Flow:
        """As `hop_for`, but for a contact registered with us by a connection, which is reached over that one."""
        if isinstance(to, Flow):
            self.ask_permit(uri)
            return to
        flow = self.registry.flow_of(uri) if self.registry is not None and to is None else None
        hop = self.hop_for(uri, to)
        return hop if flow is None else flow

    def hop_for(self, uri: str, to: Address | Hop | None = None) -> Hop:
        """Where a request to `uri` goes, once the interlock permits it. Raises InterlockError, SipLocalError."""
        self.ask_permit(uri)
        if to is not None:
            return to if isinstance(to, Hop) else Hop(UDP, *to)
        if self.outbound is not None:
            return self.outbound
        try:
            return hop_to(uri)
        except SipRemoteError as error:
            raise SipLocalError(str(error)) from error

    def next_hop(self, dialog: Dialog, fallback: Flow | Hop) -> Flow | Hop:
        """Where a dialog's next request goes; `fallback` where neither route nor Contact is a SIP URI."""
        try:
            return hop_to(dialog.next_hop())
        except (SipLocalError, SipRemoteError):
            return fallback

    def ways(self, dialog: Dialog, flow: Flow, *, direct: bool) -> tuple[Hop | Flow, Hop | Flow | None]:
        """Where a dialog's next request goes, whose first came or went by `flow`; and where else when that fails.

        `direct`: nobody is between the peer and us, and the peer made the connection: it is sent to over it, as there
        may be none to be made to it.
        """
        hop = self.next_hop(dialog, flow)
        if not flow.reliable or flow.is_gone or flow is hop:
            return hop, None
        if direct and isinstance(hop, Hop) and (hop.transport, hop.host) == (flow.transport, flow.peer[0]):
            return flow, hop
        return hop, flow
