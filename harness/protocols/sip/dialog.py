"""Dialogs (RFC 3261 §12): what two user agents remember of each other between requests, early or confirmed.

Theory. A dialog is named by Call-ID, our tag and the peer's tag. The side that was called takes it from the INVITE, the
caller from a response with a tag; the caller may hold several early ones when a proxy forks. Record-Route becomes the
route set (in order at the callee, reversed at the caller) and stays; the peer's Contact is the remote target and may be
refreshed by a later INVITE or UPDATE. Each side's requests count their own CSeq upwards; a lower number is late.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from harness.errors import SipRemoteError
from harness.protocols.sip.fields import checked
from harness.protocols.sip.grammar import MAX_CSEQ, URI_FORBIDDEN
from harness.protocols.sip.headers import tag_of
from harness.protocols.sip.message import Message, Request, Response
from harness.protocols.sip.uri import Uri

TARGET_REFRESH = frozenset(("INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"))
"""Methods whose Contact moves the remote target (§12.2)."""


class DialogState(StrEnum):
    """How far a dialog is."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Dialog:
    """One peer-to-peer relation, seen from our side."""

    __slots__ = (
        "call_id",
        "local",
        "local_cseq",
        "local_tag",
        "remote",
        "remote_cseq",
        "remote_tag",
        "route_set",
        "state",
        "target",
    )

    def __init__(
        self,
        call_id: str,
        local: str,
        remote: str,
        target: str,
        route_set: list[str],
        tags: tuple[str, str] | None = None,
    ) -> None:
        """`tags`: ours and the peer's, where they are known already. Raises SipRemoteError."""
        self.call_id = call_id
        self.local = local
        """Our From in this dialog's requests, tag included."""
        self.remote = remote
        """Our To in this dialog's requests, tag included."""
        self.local_tag, self.remote_tag = tags or (tag_of(local), tag_of(remote))
        self.target = target
        """The remote target: a URI's text."""
        self.route_set = route_set
        self.local_cseq = 0
        """The number of our latest request."""
        self.remote_cseq: int | None = None
        """The number of the peer's latest request."""
        self.state = DialogState.EARLY

    @classmethod
    def of_request(cls, request: Request, local_tag: str) -> Dialog:
        """The dialog that our answer to an INVITE makes (§12.1.1). Raises SipRemoteError without a usable Contact."""
        envelope = request.envelope
        first = envelope.first
        to, to_tag = first["to"], envelope.to_tag
        if not to_tag:
            to, to_tag = f"{to};tag={local_tag}", local_tag
        routes = request.values("record-route") if "record-route" in first else []
        contact = first.get("contact")
        target = contact_uri(request) if contact is None else uri_text(contact)
        dialog = cls(envelope.call_id, to, first["from"], target, routes, (to_tag, envelope.from_tag))
        dialog.remote_cseq = envelope.number
        return dialog

    @classmethod
    def of_response(cls, request: Request, response: Response) -> Dialog:
        """The dialog that an answer to our INVITE makes (§12.1.2). Raises SipRemoteError without tag or Contact."""
        envelope = response.envelope
        if not envelope.to_tag:
            raise SipRemoteError(f"a {response.status} without a tag in To makes no dialog")
        first = envelope.first
        routes = response.values("record-route")[::-1] if "record-route" in first else []
        # A provisional response may lack Contact; until a better one comes the Request-URI stands in.
        early = response.status < 200 and "contact" not in first
        target = request.uri_text if early else contact_uri(response)
        # Call-ID, From and CSeq are the request's, or the response would not have found it.
        tags = (envelope.from_tag, envelope.to_tag)
        dialog = cls(envelope.call_id, first["from"], first["to"], target, routes, tags)
        dialog.local_cseq = envelope.number
        return dialog

    @classmethod
    def of_notify(cls, notify: Request, local_tag: str, cseq: int) -> Dialog:
        """The dialog of a NOTIFY that came before the answer to our SUBSCRIBE or REFER, whose number was `cseq`.

        Raises SipRemoteError without a usable Contact.
        """
        dialog = cls.of_request(notify, local_tag)
        dialog.remote_cseq, dialog.local_cseq = None, cseq
        return dialog

    def confirm(self, response: Response | None = None) -> None:
        """A 2xx confirmed the dialog; the caller takes route set and target anew from it (§13.2.2.4)."""
        self.state = DialogState.CONFIRMED
        if response is not None:
            first = response.envelope.first
            self.route_set = response.values("record-route")[::-1] if "record-route" in first else []
            self.target = contact_uri(response)

    def receive(self, request: Request) -> None:
        """Check a request of the peer's against the dialog and take its CSeq and Contact (§12.2.2).

        Raises SipRemoteError where its CSeq is not higher than the last one's: a 500 is due.
        """
        envelope = request.envelope
        number = envelope.number
        if self.remote_cseq is not None and number <= self.remote_cseq:
            raise SipRemoteError(f"CSeq {number} came after {self.remote_cseq}")
        self.remote_cseq = number
        if request.method in TARGET_REFRESH and "contact" in envelope.first:
            self.target = contact_uri(request)

    def request(
        self,
        method: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str = "",
        cseq: int | None = None,
    ) -> Request:
        """Make a request within the dialog (§12.2.1.1), without Via. `cseq`: for ACK, which has its INVITE's."""
        if cseq is None:
            self.local_cseq = cseq = min(self.local_cseq + 1, MAX_CSEQ)
        uri, routes = self.target, self.route_set
        if routes and not _is_loose(routes[0]):
            # A strict router (RFC 2543) wants itself in the Request-URI and the target last in Route.
            uri, routes = uri_text(routes[0]), [*routes[1:], f"<{self.target}>"]
        fields = [("Max-Forwards", "70")]
        if routes:
            fields += [("Route", route) for route in routes]
        fields += [("From", self.local), ("To", self.remote), ("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}")]
        if headers:
            fields += checked(headers)
        if content_type:
            fields += checked([("Content-Type", content_type)])
        # What is the dialog's own came with messages that were read, or was checked as it was sent first.
        return Request(method, uri, fields, body)

    def next_hop(self) -> str:
        """The URI whose host the next request is sent to: the first route, else the target. Raises SipRemoteError."""
        return uri_text(self.route_set[0]) if self.route_set else self.target


def contact_uri(message: Message) -> str:
    """The text of the URI in the one Contact that makes or moves a dialog. Raises SipRemoteError."""
    line = message.envelope.first.get("contact")
    if line is None:
        raise SipRemoteError("no Contact header, and a dialog needs one")
    return uri_text(line)


def uri_text(value: str) -> str:
    """The URI of a name-addr or addr-spec as text, checked against injection. Raises SipRemoteError."""
    opened = value.rfind("<")
    text = value[opened + 1 : value.find(">", opened)] if opened >= 0 else value.partition(";")[0]
    text = text.strip()
    if ":" not in text or URI_FORBIDDEN.search(text) or (opened >= 0 and ">" not in value[opened:]):
        raise SipRemoteError(f"not a URI: {value[:80]!r}")
    return text


def _is_loose(route: str) -> bool:
    return "lr" in Uri.parse(uri_text(route)).params
