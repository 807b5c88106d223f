"""How a modem shows messages (3GPP TS 27.005 section 3.4 text mode, section 4 PDU mode): listed, read, and as codes."""

from __future__ import annotations

from harness.protocols.gsm.address import Address
from harness.protocols.gsm.charset import to_equipment
from harness.protocols.gsm.coding import Alphabet, alphabet_of
from harness.protocols.gsm.modem_state import ModemState
from harness.protocols.gsm.pdu import Deliver, Message, StatusReport, Submit, with_centre
from harness.protocols.gsm.stamps import Enhanced, Stamp
from harness.protocols.gsm.storage import STATE_TEXTS, Stored
from harness.protocols.gsm.user_data import UserData


def pdu(centre: Address | None, message: Message) -> tuple[int, str]:
    """The length that stands before a PDU, which leaves the service centre out, and the PDU in hex."""
    tpdu = message.write()
    return len(tpdu), with_centre(centre, tpdu).hex().upper()


def data(state: ModemState, content: UserData) -> str:
    """What text mode shows of a message: text in the equipment's character set, else octets in hex."""
    alphabet = alphabet_of(content.dcs)
    if content.elements or alphabet is not Alphabet.GSM7:
        return (content.header() + content.body()).hex().upper()
    return to_equipment(content.text, state.charset)


def shown(state: ModemState, address: Address) -> str:
    """An address in quotes, in the equipment's character set (TS 27.005 section 3.1: ``<da>``, ``<oa>``, ``<sca>``)."""
    text = str(address)
    return f'"{to_equipment(text, state.charset) if state.charset in ("UCS2", "HEX") else text}"'


def centre(state: ModemState, address: Address | None) -> str:
    """``"<sca>",<tosca>`` of a service centre, empty where there is none."""
    return '"",129' if address is None else f"{shown(state, address)},{address.kind}"


def _length(content: UserData) -> int:
    return content.write()[0]


def _first(message: Message) -> int:
    return message.write()[0]


def _report(state: ModemState, report: StatusReport) -> str:
    times = f'"{report.stamp.at_text()}","{report.discharged.at_text()}"'
    who = f"{shown(state, report.recipient)},{report.recipient.kind}"
    return f"{_first(report)},{report.reference},{who},{times},{report.status}"


def _delivered(state: ModemState, message: Deliver, by: Address | None, *, detail: bool) -> str:
    line = f'{shown(state, message.sender)},,"{message.stamp.at_text()}"'
    if detail:
        more = (message.sender.kind, _first(message), message.protocol, message.content.dcs, centre(state, by))
        line += "," + ",".join(map(str, more)) + f",{_length(message.content)}"
    return line


def listed(state: ModemState, index: int, stored: Stored) -> str:
    """One message of `AT+CMGL`."""
    message = stored.message
    if not state.text_mode:
        length, octets = pdu(stored.centre, message)
        return f"+CMGL: {index},{int(stored.state)},,{length}\r\n{octets}"
    head = f'+CMGL: {index},"{STATE_TEXTS[stored.state]}",'
    match message:
        case StatusReport():
            return head + _report(state, message)
        case Submit():
            head += f"{shown(state, message.to)},,"
            more = f",{message.to.kind},{_length(message.content)}" if state.detailed else ""
        case Deliver():
            head += f'{shown(state, message.sender)},,"{message.stamp.at_text()}"'
            more = f",{message.sender.kind},{_length(message.content)}" if state.detailed else ""
    return f"{head}{more}\r\n{data(state, message.content)}"


def read(state: ModemState, stored: Stored) -> str:
    """The message of `AT+CMGR`."""
    message = stored.message
    if not state.text_mode:
        length, octets = pdu(stored.centre, message)
        return f"+CMGR: {int(stored.state)},,{length}\r\n{octets}"
    head = f'+CMGR: "{STATE_TEXTS[stored.state]}",'
    match message:
        case StatusReport():
            return head + _report(state, message)
        case Deliver():
            head += _delivered(state, message, stored.centre, detail=state.detailed)
        case Submit():
            head += f"{shown(state, message.to)},"
            if state.detailed:
                scheme = f"{message.protocol},{message.content.dcs},{_validity(message)}"
                head += f",{message.to.kind},{_first(message)},{scheme},"
                head += f"{centre(state, stored.centre)},{_length(message.content)}"
    return f"{head}\r\n{data(state, message.content)}"


def _validity(message: Submit) -> str:
    match message.validity:
        case None:
            return ""
        case Stamp():
            return f'"{message.validity.at_text()}"'
        case Enhanced(octets):
            return f'"{octets.hex().upper()}"'
    return str(message.validity)


def code(state: ModemState, message: Deliver | StatusReport) -> str:
    """``+CMT`` or ``+CDS``, with the message on a line of its own."""
    if not state.text_mode:
        length, octets = pdu(state.centre, message)
        head = f"+CDS: {length}" if isinstance(message, StatusReport) else f"+CMT: ,{length}"
        return f"{head}\r\n{octets}"
    if isinstance(message, StatusReport):
        return "+CDS: " + _report(state, message)
    head = "+CMT: " + _delivered(state, message, state.centre, detail=state.detailed)
    return f"{head}\r\n{data(state, message.content)}"
