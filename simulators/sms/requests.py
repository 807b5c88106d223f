"""What SMPP requests about messages come to: checked field by field, carried out, answered by a status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.errors import SmppError, SmsError
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp import content as contents
from harness.protocols.smpp import times
from harness.protocols.smpp.codes import MODE, TYPE, Command, EsmClass, MessageState, Status, Tag
from harness.protocols.smpp.pdu import LIST, Destination, Pdu, Unreached, Value
from simulators.sms.network import CongestionError, Party, SmsNetwork, Text, key_of

MAX_PRIORITY: Final = 3
_ERROR_CODES: Final = {MessageState.UNDELIVERABLE: 1, MessageState.EXPIRED: 2}
"""query_sm_resp's error_code, which is the centre's own to choose (section 5.2.31)."""


class RefusedError(Exception):
    """A request is answered by a status other than ESME_ROK."""

    def __init__(self, status: Status, why: str) -> None:
        super().__init__(f"{why} (ESME_{status.name})")
        self.status = status


@dataclass(frozen=True, slots=True)
class Sender:
    """On whose behalf requests come."""

    own: Address
    """Its first number: the sender of what names none."""
    party: Party
    """Who gets its receipts."""


def carry_out(network: SmsNetwork, request: Pdu, sender: Sender) -> dict[str, Value]:
    """Do what a request asks and return the response's fields. Raises RefusedError."""
    match request.command:
        case Command.SUBMIT_SM | Command.DATA_SM:
            return _submit(network, request, sender)
        case Command.SUBMIT_MULTI:
            return _submit_many(network, request, sender)
        case Command.QUERY_SM:
            return _query(network, request, sender)
        case Command.CANCEL_SM:
            return _cancel(network, request, sender)
    return _replace(network, request, sender)


def _submit(network: SmsNetwork, request: Pdu, sender: Sender) -> dict[str, Value]:
    _check_classes(request)
    to = _address(request, "dest", Status.RINVDSTADR)
    if not to.digits:
        raise RefusedError(Status.RINVDSTADR, "no destination_addr")
    take = _taker(network, request, sender)
    if request.number("replace_if_present_flag"):
        source = _source(request, sender)
        _drop_present(network, key_of(source), key_of(to), request.text("service_type"))
    return {"message_id": take(to).id}


def _submit_many(network: SmsNetwork, request: Pdu, sender: Sender) -> dict[str, Value]:
    """One text for each destination; those that get none are told. Refused as the first is where all are."""
    _check_classes(request)
    if request.number("replace_if_present_flag"):
        raise RefusedError(Status.RINVREPFLAG, "replace_if_present_flag is 0 in submit_multi")
    take, batch = _taker(network, request, sender), network.new_batch()
    unreached: list[Unreached] = []
    for each in request.destinations:
        try:
            take(_destination(each)).batch = batch
        except RefusedError as error:
            unreached.append(Unreached(each.address, each.ton, each.npi, error.status))
    if len(unreached) == len(request.destinations):
        raise RefusedError(Status(unreached[0].status), "it is for nobody")
    return {"message_id": batch, "unsuccess_sme": tuple(unreached)}


def _destination(wanted: Destination) -> Address:
    if wanted.flag == LIST:
        raise RefusedError(Status.RINVDLNAME, "there are no distribution lists")
    fields: dict[str, Value] = {"dest_addr_ton": wanted.ton, "dest_addr_npi": wanted.npi}
    one = Pdu(Command.SUBMIT_SM, 1, fields={**fields, "destination_addr": wanted.address})
    to = _address(one, "dest", Status.RINVDSTADR)
    if not to.digits:
        raise RefusedError(Status.RINVDSTADR, "no destination_addr")
    return to


def _taker(network: SmsNetwork, request: Pdu, sender: Sender) -> Callable[[Address], Text]:
    """What lets the network take the request's text for one number. Raises RefusedError, as it does itself."""
    source, content = _source(request, sender), _content(request)
    validity_s, delay_s = _times(network, request)
    on_success, on_failure = _report(request)

    def take(to: Address) -> Text:
        try:
            text = network.submit(
                source,
                to,
                content,
                validity_s=validity_s,
                delay_s=delay_s,
                on_success=on_success,
                on_failure=on_failure,
                origin=sender.party,
                service=request.text("service_type"),
            )
        except CongestionError as error:
            raise RefusedError(Status.RMSGQFUL, str(error)) from None
        text.coding, text.user_reference = request.number("data_coding"), request.tlv(Tag.USER_MESSAGE_REFERENCE)
        return text

    return take


def _drop_present(network: SmsNetwork, source: str, to: str, service: str) -> None:
    for text in network.waiting(sender=source, to=to, service=service):
        network.cancel(text)


def _check_classes(request: Pdu) -> None:
    esm = request.number("esm_class")
    # A client may send acknowledgements and nothing else of the types: receipts are the centre's.
    if esm & TYPE not in (0, 0x08, 0x10):
        raise RefusedError(Status.RINVESMCLASS, f"esm_class {esm:#04x}: message type {esm & TYPE:#04x} of a client")
    if request.command == Command.DATA_SM and esm & MODE == 2:
        raise RefusedError(Status.RINVESMCLASS, "esm_class: data_sm is not for forward mode")
    if request.number("priority_flag") > MAX_PRIORITY:
        raise RefusedError(Status.RINVPRTFLG, f"priority_flag {request.number('priority_flag')}; 0-3 is allowed")
    if request.number("replace_if_present_flag") > 1:
        raise RefusedError(Status.RINVREPFLAG, "replace_if_present_flag is 0 or 1")
    if request.number("sm_default_msg_id"):
        raise RefusedError(Status.RINVDFTMSGID, "there are no predefined messages")


def _source(request: Pdu, sender: Sender) -> Address:
    return sender.own if not request.text("source_addr") else _address(request, "source", Status.RINVSRCADR)


def _address(request: Pdu, which: str, status: Status) -> Address:
    try:
        return contents.address(request, which)
    except SmppError as error:
        raise RefusedError(status, str(error)) from None


def _content(request: Pdu) -> UserData:
    payload = request.tlv(Tag.MESSAGE_PAYLOAD)
    if payload is not None and request.fields.get("short_message"):
        raise RefusedError(Status.RINVOPTPARAMVAL, "short_message and message_payload in one")
    try:
        content = contents.read(request)
    except SmppError as error:
        header = request.number("esm_class") & EsmClass.HEADER
        raise RefusedError(Status.RINVESMCLASS if header else Status.RSUBMITFAIL, str(error)) from None
    if content.elements or content.data:
        try:
            content.write()
        except SmsError as error:
            raise RefusedError(Status.RINVMSGLEN, str(error)) from None
    return content


def _times(network: SmsNetwork, request: Pdu) -> tuple[float | None, float]:
    now = network.calendar
    try:
        delay_s = times.read(request.text("schedule_delivery_time"), now) or 0.0
    except SmppError as error:
        raise RefusedError(Status.RINVSCHED, str(error)) from None
    if delay_s < 0:
        raise RefusedError(Status.RINVSCHED, "schedule_delivery_time is over")
    try:
        validity_s = times.read(request.text("validity_period"), now)
    except SmppError as error:
        raise RefusedError(Status.RINVEXPIRY, str(error)) from None
    if validity_s is not None and validity_s <= delay_s:
        raise RefusedError(Status.RINVEXPIRY, "validity_period is over before the first try")
    return validity_s, delay_s


def _report(request: Pdu) -> tuple[bool, bool]:
    wanted = request.number("registered_delivery") & 3
    if wanted == 3:
        raise RefusedError(Status.RINVREGDLVFLG, "registered_delivery: receipts are wanted never, always or on failure")
    return wanted == 1, wanted > 0


def _known(network: SmsNetwork, request: Pdu, sender: Sender, failed: Status) -> Text:
    """The message that a request names, which must be of the sender it names."""
    text = network.find(request.text("message_id"))
    if text is None or text.origin is not sender.party:
        raise RefusedError(Status.RINVMSGID, f"no message {request.text('message_id')[:20]!r}")
    if key_of(_source(request, sender)) != key_of(text.sender):
        raise RefusedError(failed, f"message {text.id} is of another source_addr")
    return text


def _query(network: SmsNetwork, request: Pdu, sender: Sender) -> dict[str, Value]:
    text = _known(network, request, sender, Status.RQUERYFAIL)
    return {
        "message_id": text.id,
        "final_date": times.absolute(text.settled) if text.settled is not None else "",
        "message_state": int(text.state),
        "error_code": _ERROR_CODES.get(text.state, 0),
    }


def _cancel(network: SmsNetwork, request: Pdu, sender: Sender) -> dict[str, Value]:
    if batch := network.batch(request.text("message_id")):
        _cancel_batch(network, request, sender, batch)
        return {}
    if request.text("message_id"):
        if not network.cancel(_known(network, request, sender, Status.RCANCELFAIL)):
            raise RefusedError(Status.RCANCELFAIL, "its state is final")
        return {}
    # Without an id: all that wait from the source to the destination (section 4.9).
    source, to = key_of(_source(request, sender)), key_of(_address(request, "dest", Status.RINVDSTADR))
    found = network.waiting(sender=source, to=to, service=request.text("service_type"))
    mine = [text for text in found if text.origin is sender.party]
    if not mine:
        raise RefusedError(Status.RCANCELFAIL, "nothing waits from there to there")
    for text in mine:
        network.cancel(text)
    return {}


def _cancel_batch(network: SmsNetwork, request: Pdu, sender: Sender, batch: list[Text]) -> None:
    """Cancel what waits of a submit_multi: all of it, or what is for the destination that is named."""
    source = key_of(_source(request, sender))
    mine = [text for text in batch if text.origin is sender.party and key_of(text.sender) == source]
    if request.text("destination_addr"):
        to = key_of(_address(request, "dest", Status.RINVDSTADR))
        mine = [text for text in mine if text.to == to]
    if not mine:
        raise RefusedError(Status.RCANCELFAIL, "nothing of it waits from there to there")
    for text in mine:
        network.cancel(text)


def _replace(network: SmsNetwork, request: Pdu, sender: Sender) -> dict[str, Value]:
    text = _known(network, request, sender, Status.RREPLACEFAIL)
    if request.number("sm_default_msg_id"):
        raise RefusedError(Status.RINVDFTMSGID, "there are no predefined messages")
    validity_s, delay_s = _times(network, request)
    octets = request.message
    # replace_sm has no data_coding: the text is in that of the message it replaces.
    coding: dict[str, Value] = {"short_message": octets, "data_coding": text.coding}
    content = _content(Pdu(Command.SUBMIT_SM, request.sequence, fields=coding))
    report = _report(request)
    if not network.replace(text, content, validity_s=validity_s, delay_s=delay_s, report=report):
        raise RefusedError(Status.RREPLACEFAIL, "its state is final")
    return {}
