"""An eCall's data beside its call, from the vehicle's side: sent, acknowledged, asked for again (RFC 8147)."""

from __future__ import annotations

from harness.errors import MsdError, SipRemoteError
from harness.protocols.location import ecall_control, msd
from harness.protocols.location.ecall_control import Control
from harness.protocols.location.msd import Msd
from harness.protocols.sip.body import Part as BodyPart
from harness.protocols.sip.body import find, multipart
from harness.protocols.sip.message import Message, Request


def acknowledged(answer: Message) -> bool | None:
    """Whether an answer says that the data could be read; None where it says nothing of them."""
    control = _control(answer)
    return None if control is None or not control.acks else control.acks[0].received


def asked(request: Request) -> str | None:
    """What act an INFO asks the vehicle for; None where it asks for none."""
    control = _control(request)
    return None if control is None or not control.requests else control.requests[0].action


def in_info(vehicle: Msd, content_id: str) -> tuple[list[tuple[str, str]], tuple[bytes, str]]:
    """Headers, and body with its type, of an INFO that carries data. Raises MsdError."""
    fields = {"content-id": f"<{content_id}>", "content-disposition": "by-reference"}
    content = multipart([BodyPart(msd.CONTENT_TYPE, vehicle.encode(), fields)])
    purpose = ecall_control.CALL_INFO_PURPOSES[0]
    headers = [
        ("Info-Package", ecall_control.INFO_PACKAGE),
        ("Content-Disposition", "Info-Package"),
        ("Call-Info", f"<cid:{content_id}>;purpose={purpose}"),
    ]
    return headers, content


def _control(message: Message) -> Control | None:
    try:
        block = find(message, ecall_control.CONTENT_TYPE.lower())
        return None if block is None else ecall_control.parse(block)
    except (MsdError, SipRemoteError):
        return None
