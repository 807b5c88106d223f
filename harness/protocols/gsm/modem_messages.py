"""What a modem answers to commands about messages (3GPP TS 27.005): settings, reading, deleting; what it sends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from harness.errors import SmsError
from harness.protocols.gsm import modem_views as views
from harness.protocols.gsm import user_data
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.charset import from_equipment
from harness.protocols.gsm.coding import Alphabet, alphabet_of, class_of
from harness.protocols.gsm.commands import AtCommand, Op
from harness.protocols.gsm.errors import Cme, Cms, RefusedError
from harness.protocols.gsm.modem_general import Handler, refuse_op
from harness.protocols.gsm.modem_state import ModemState, TextParameters
from harness.protocols.gsm.pdu import MAX_TPDU, Message, Submit, read_to_centre, read_to_handset, split_centre
from harness.protocols.gsm.stamps import Stamp
from harness.protocols.gsm.storage import ALL, STATE_TEXTS, STORES, State, Stored
from harness.protocols.gsm.user_data import UserData

_STATES: Final = {text: state for state, text in STATE_TEXTS.items()}
_NOTIFICATION_MOST: Final = (3, 3, 3, 2, 1)


def _stores(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.TEST:
            listed = ",".join(f'"{each}"' for each in STORES)
            return [f"+CPMS: ({listed}),({listed}),({listed})"]
        case Op.READ:
            return ["+CPMS: " + ",".join(f'"{each}",{_filled(state, each)}' for each in state.stores)]
        case Op.DO:
            raise refuse_op(command)
    wanted = tuple(command.string(at, state.stores[at]).upper() for at in range(3))
    if any(each not in STORES for each in wanted):
        raise RefusedError(Cms.NOT_SUPPORTED, f"AT+CPMS={command.text[:40]}: {', '.join(STORES)} are there")
    state.stores = (wanted[0], wanted[1], wanted[2])
    return ["+CPMS: " + ",".join(_filled(state, each) for each in state.stores)]


def _filled(state: ModemState, store: str) -> str:
    return f"{state.storage.used(store)},{state.storage.total(store)}"


def _service(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.TEST:
            return ["+CSMS: (0,1)"]
        case Op.READ:
            return [f"+CSMS: {state.service},1,1,1"]
    value = command.number(0, 0)
    if value > 1:
        raise RefusedError(Cms.NOT_SUPPORTED, f"AT+CSMS={value}: 0 or 1 is allowed")
    state.service = value
    return ["+CSMS: 1,1,1"]


def _centre(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.READ:
            return [f"+CSCA: {views.centre(state, state.centre)}"]
        case Op.SET:
            state.centre = _address(state, command, 0)
        case Op.DO:
            raise refuse_op(command)
    return []


def _address(state: ModemState, command: AtCommand, at: int) -> Address:
    """The number at ``at`` of a command's parameters, its type after it where one is given."""
    text = command.string(at)
    try:
        if state.charset in ("UCS2", "HEX") and len(text) >= 4 and not text.startswith("+"):
            text = from_equipment(text.encode("latin-1"), state.charset)
        kind = command.number(at + 1, 145 if text.startswith("+") else 129)
        address = Address.from_type(text, kind & 0xFF)
        address.write()
    except SmsError as error:
        raise RefusedError(Cms.INVALID_TEXT, f"AT{command.name}: {error}") from None
    return address


def _text_parameters(state: ModemState, command: AtCommand) -> list[str]:
    now = state.text
    match command.op:
        case Op.TEST:
            return []
        case Op.READ:
            period = f'"{now.validity.at_text()}"' if isinstance(now.validity, Stamp) else str(now.validity)
            return [f"+CSMP: {now.first},{period},{now.protocol},{now.dcs}"]
        case Op.DO:
            state.text = TextParameters()
            return []
    first = command.number(0, now.first)
    period = command.string(1, "")
    validity: int | Stamp = now.validity
    if "/" in period:
        try:
            validity = Stamp.from_at_text(period)
        except SmsError as error:
            raise RefusedError(Cms.INVALID_TEXT, f"AT+CSMP: {error}") from None
    elif period:
        validity = command.number(1)
    wanted = TextParameters(first, validity, command.number(2, now.protocol), command.number(3, now.dcs))
    if any(isinstance(each, int) and each > 255 for each in wanted):
        raise RefusedError(Cms.INVALID_TEXT, f"AT+CSMP={command.text[:40]}: 0-255 is allowed")
    state.text = wanted
    return []


def _notification(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.TEST:
            return ["+CNMI: (0-3),(0-3),(0-3),(0-2),(0,1)"]
        case Op.READ:
            return ["+CNMI: " + ",".join(map(str, state.notification))]
        case Op.DO:
            state.notification = (0, 0, 0, 0, 0)
            return []
    wanted = tuple(command.number(at, now) for at, now in enumerate(state.notification))
    if any(value > most for value, most in zip(wanted, _NOTIFICATION_MOST, strict=True)):
        raise RefusedError(Cms.NOT_SUPPORTED, f"AT+CNMI={command.text[:40]}: (0-3),(0-3),(0-3),(0-2),(0,1) is allowed")
    state.notification = (wanted[0], wanted[1], wanted[2], wanted[3], wanted[4])
    if state.notification[0] and state.notification[4]:
        state.held.clear()
    return []


def _list(state: ModemState, command: AtCommand) -> list[str]:
    if command.op is Op.TEST:
        texts = ",".join(f'"{text}"' for text in (*STATE_TEXTS.values(), "ALL"))
        return [f"+CMGL: ({texts})" if state.text_mode else "+CMGL: (0-4)"]
    if command.op is Op.READ:
        raise refuse_op(command)
    wanted = _wanted(state, command)
    store = state.stores[0]
    lines = []
    for index, stored in state.storage.all(store):
        if wanted in (ALL, stored.state):
            lines.append(views.listed(state, index, stored))
            _seen(state, index, stored, command.number(1, 0))
    return lines


def _wanted(state: ModemState, command: AtCommand) -> int:
    if not state.text_mode:
        wanted = command.number(0, State.UNREAD)
        if wanted > ALL:
            raise RefusedError(Cms.INVALID_PDU, f"AT+CMGL={wanted}: 0-4 is allowed")
        return wanted
    text = command.string(0, STATE_TEXTS[State.UNREAD]).upper()
    if text != "ALL" and text not in _STATES:
        raise RefusedError(Cms.INVALID_TEXT, f"AT+CMGL={text[:20]!r}: {', '.join(_STATES)} or ALL is allowed")
    return ALL if text == "ALL" else _STATES[text]


def _seen(state: ModemState, index: int, stored: Stored, kept: int) -> None:
    """What was shown is read, unless the equipment asked that it stays as it was."""
    if stored.state is State.UNREAD and not kept:
        state.storage.set_state(state.stores[0], index, State.READ)


def _read(state: ModemState, command: AtCommand) -> list[str]:
    if command.op is Op.TEST:
        return []
    index = command.number(0)
    stored = state.storage.get(state.stores[0], index)
    shown = views.read(state, stored)
    _seen(state, index, stored, command.number(1, 0))
    return [shown]


def _delete(state: ModemState, command: AtCommand) -> list[str]:
    store = state.stores[0]
    if command.op is Op.TEST:
        taken = ",".join(str(index) for index, _ in state.storage.all(store))
        return [f"+CMGD: ({taken}),(0-4)"]
    index, flag = command.number(0), command.number(1, 0)
    if flag > 4:
        raise RefusedError(Cms.INVALID_PDU, f"AT+CMGD={index},{flag}: 0-4 is allowed")
    if flag == 0:
        state.storage.delete(store, index)
        return []
    gone = {State.READ, *((State.SENT,) if flag > 1 else ()), *((State.UNSENT,) if flag > 2 else ())}
    for each, stored in state.storage.all(store):
        if flag == 4 or stored.state in gone:
            state.storage.delete(store, each)
    return []


HANDLERS: Final[dict[str, Handler]] = {
    "+CPMS": _stores,
    "+CSMS": _service,
    "+CSCA": _centre,
    "+CSMP": _text_parameters,
    "+CNMI": _notification,
    "+CMGL": _list,
    "+CMGR": _read,
    "+CMGD": _delete,
}
_OF_MESSAGES: Final = frozenset({*HANDLERS, "+CMGS", "+CMGW", "+CMSS", "+CNMA", "+CMGF", "+CSDH", "+CMMS"})


def refusal(state: ModemState, name: str, refused: RefusedError) -> RefusedError:
    """A refusal as the command has it: those of TS 27.005 by ``+CMS ERROR`` whatever is wrong (section 3.2.5)."""
    if name not in _OF_MESSAGES:
        return refused
    match refused.error:
        case Cme.INCORRECT_PARAMETERS:
            return RefusedError(Cms.INVALID_TEXT if state.text_mode else Cms.INVALID_PDU, refused.why)
        case Cme.NOT_SUPPORTED:
            return RefusedError(Cms.NOT_SUPPORTED, refused.why)
        case Cme.SIM_PIN:
            return RefusedError(Cms.SIM_PIN, refused.why)
    return refused


@dataclass(frozen=True, slots=True)
class Prompted:
    """A command whose message is typed after a prompt."""

    command: str
    """``+CMGS``, ``+CMGW`` or ``+CNMA``."""
    length: int = 0
    """Octets of the TPDU that is due, in PDU mode."""
    to: Address | None = None
    """In text mode."""
    state: State = State.UNSENT
    """In which `AT+CMGW` stores it."""


def prompted(state: ModemState, command: AtCommand) -> Prompted | None:
    """What a command's prompt is for; None for `AT+CNMA` without a PDU. Raises RefusedError."""
    name = command.name
    if name == "+CNMA":
        length = command.number(1, 0)
        return Prompted(name, length) if length else None
    if not state.text_mode:
        length = command.number(0)
        if not 0 < length <= MAX_TPDU + 10:
            raise RefusedError(Cms.INVALID_PDU, f"AT{name}={length}: a TPDU has up to {MAX_TPDU} octets")
        stat = command.number(1, State.UNSENT)
        if stat > State.SENT:
            raise RefusedError(Cms.INVALID_PDU, f"AT{name}: stat {stat} is not 0-3")
        return Prompted(name, length, state=State(stat))
    if name == "+CMGW" and not command.string(0, ""):
        return Prompted(name, to=Address(""))
    stat_text = command.string(2, STATE_TEXTS[State.UNSENT]).upper()
    if name == "+CMGW" and stat_text not in (STATE_TEXTS[State.UNSENT], STATE_TEXTS[State.SENT]):
        raise RefusedError(Cms.NOT_SUPPORTED, "AT+CMGW: text mode stores what is to be sent; received ones need a PDU")
    return Prompted(name, to=_address(state, command, 0), state=_STATES.get(stat_text, State.UNSENT))


def message_of(state: ModemState, asked: Prompted, body: bytes) -> tuple[Address | None, Message]:
    """The message that was typed, and its service centre. Raises RefusedError."""
    if state.text_mode:
        try:
            message = _of_text(state, asked.to or Address(""), body)
            message.write()
        except SmsError as error:
            raise RefusedError(Cms.INVALID_TEXT, f"AT{asked.command}: {error}") from None
        return state.centre, message
    try:
        centre, tpdu = split_centre(bytes.fromhex(body.decode("ascii")))
        if len(tpdu) != asked.length:
            raise SmsError(f"a TPDU of {len(tpdu)} octets; {asked.length} were announced")
        received = asked.command == "+CMGW" and asked.state in (State.UNREAD, State.READ)
        return centre or state.centre, read_to_handset(tpdu) if received else read_to_centre(tpdu)
    except SmsError as error:
        raise RefusedError(Cms.INVALID_PDU, f"AT{asked.command}: {error}") from None
    except ValueError:
        raise RefusedError(Cms.INVALID_PDU, f"AT{asked.command}: not hex: {body[:32]!r}") from None


def _of_text(state: ModemState, to: Address, body: bytes) -> Submit:
    settings, dcs = state.text, state.text.dcs
    header = bool(settings.first & 0x40)
    text = body.removeprefix(b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if header or alphabet_of(dcs) is not Alphabet.GSM7:
        try:
            octets = bytes.fromhex(body.decode("ascii"))
        except ValueError:
            raise SmsError(f"hex was due for coding scheme {dcs}: {body[:32]!r}") from None
        elements, end = user_data.read_header(octets) if header else ((), 0)
        content = user_data.of_body(octets[end:], dcs, elements)
    else:
        written = from_equipment(text, state.charset)
        content = UserData(written, dcs=dcs)
    validity: int | Stamp | None = settings.validity if settings.first & 0x18 in (0x10, 0x18) else None
    if validity is not None and isinstance(validity, Stamp) != (settings.first & 0x18 == 0x18):
        raise SmsError("the validity period of AT+CSMP is not in the format that its first octet tells")
    return Submit(
        to,
        content,
        protocol=settings.protocol,
        validity=validity,
        report=bool(settings.first & 0x20),
        reject_duplicates=bool(settings.first & 0x04),
        reply_path=bool(settings.first & 0x80),
    )


def stored_to_send(state: ModemState, command: AtCommand) -> tuple[int, Stored, Submit]:
    """What `AT+CMSS` is to send: its index, as it is stored, and as it is sent. Raises RefusedError."""
    index = command.number(0)
    stored = state.storage.get(state.stores[1], index)
    if not isinstance(stored.message, Submit):
        raise RefusedError(Cms.NOT_ALLOWED, f"{state.stores[1]} {index} is a message that was received")
    submit = stored.message
    if command.string(1, ""):
        submit = replace(submit, to=_address(state, command, 1))
    return index, stored, submit


def store_for(state: ModemState, message: Message) -> str:
    """Where a message that comes is kept: one of class 2 on the SIM."""
    content = message.content
    return "SM" if content is not None and class_of(content.dcs) == 2 else state.stores[2]
