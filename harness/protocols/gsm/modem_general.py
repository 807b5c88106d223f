"""What a modem answers to commands that are not about messages: identification, settings, network, SIM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.protocols.gsm.charset import SETS
from harness.protocols.gsm.commands import AtCommand, Op
from harness.protocols.gsm.errors import Cme, RefusedError
from harness.protocols.gsm.modem_state import REGISTRATIONS, SETTINGS, Identity, ModemState

Handler = Callable[[ModemState, AtCommand], list[str]]
"""Carries a command out and gives the lines before its final result. Raises RefusedError."""

_IDENTITY: Final[dict[str, Callable[[Identity], str]]] = {
    "+CGMI": lambda identity: identity.maker,
    "+GMI": lambda identity: identity.maker,
    "+CGMM": lambda identity: identity.model,
    "+GMM": lambda identity: identity.model,
    "+CGMR": lambda identity: identity.revision,
    "+GMR": lambda identity: identity.revision,
    "+CGSN": lambda identity: identity.imei,
    "+GSN": lambda identity: identity.imei,
    "+CIMI": lambda identity: identity.imsi,
    "+GCAP": lambda identity: "+GCAP: +CGSM",
    "I": lambda identity: f"{identity.maker} {identity.model}",
    "+CNUM": lambda identity: f'+CNUM: "","{identity.number}",145',
}
_WITHOUT_EFFECT: Final = frozenset({"X", "L", "M", "&C", "&D", "&S", "&K", "&W", "H"})
"""Taken, and nothing follows: there is no call, no loudspeaker, no modem line and no second profile."""
LOCKED: Final = frozenset({"+CPIN", "+CMEE", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GMI", "+GMM", "+GMR", "+GSN"}) | {
    *("+CFUN", "+CSQ", "+CREG", "+CLAC", "+GCAP", "I", "E", "V", "Q", "Z", "&F"),
    *_WITHOUT_EFFECT,
}
"""Commands that are taken before the PIN."""


def refuse_op(command: AtCommand) -> RefusedError:
    """The error of a command that is there but can't be read, set or the like."""
    return RefusedError(Cme.NOT_SUPPORTED, f"AT{command.name}: {command.op.value} is not offered")


def _identity(state: ModemState, command: AtCommand) -> list[str]:
    if command.op is Op.TEST:
        return []
    if command.op is not Op.DO:
        raise refuse_op(command)
    return [_IDENTITY[command.name](state.identity)]


def _basic(state: ModemState, command: AtCommand) -> list[str]:
    value = int(command.text[:3] or "0")
    if command.name in ("E", "V", "Q") and value > 1:
        raise RefusedError(None, f"AT{command.name}{value}: 0 or 1 is allowed")
    match command.name:
        case "E":
            state.echo = value == 1
        case "V":
            state.verbose = value == 1
        case "Q":
            state.quiet = value == 1
        case "Z" | "&F":
            state.reset()
    return []


def _setting(state: ModemState, command: AtCommand) -> list[str]:
    setting = SETTINGS[command.name]
    match command.op:
        case Op.TEST:
            return [f"{command.name}: {setting.allowed}"]
        case Op.READ:
            return [f"{command.name}: {state.numbers[command.name]}"]
        case Op.SET:
            value = command.number(0)
            if not setting.least <= value <= setting.most:
                raise RefusedError(Cme.INCORRECT_PARAMETERS, f"AT{command.name}={value}: {setting.allowed} is allowed")
            state.numbers[command.name] = value
        case Op.DO:
            state.numbers[command.name] = setting.factory
    return []


def registration_line(state: ModemState, name: str, *, asked: bool) -> str:
    """``+CREG: …`` as read, or as a code of the modem's own accord."""
    mode = state.numbers[name]
    status = 1 if state.registered and state.radio == 1 and state.unlocked else 0
    where = ',"0001","00000001"' if mode == 2 and status else ""
    return f"{name}: {f'{mode},' if asked else ''}{status}{where}"


def _registration(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.TEST:
            return [f"{command.name}: (0-2)"]
        case Op.READ:
            return [registration_line(state, command.name, asked=True)]
        case Op.SET:
            value = command.number(0)
            if value > 2:
                raise RefusedError(Cme.INCORRECT_PARAMETERS, f"AT{command.name}={value}: 0-2 is allowed")
            state.numbers[command.name] = value
        case Op.DO:
            state.numbers[command.name] = 0
    return []


def _operator(state: ModemState, command: AtCommand) -> list[str]:
    name, network = state.identity.operator, state.identity.network
    match command.op:
        case Op.TEST:
            return [f'+COPS: (2,"{name}","{name[:8]}","{network}"),,(0-4),(0-2)']
        case Op.READ:
            if not state.on_network:
                return ["+COPS: 0"]
            return [f'+COPS: 0,{state.operator_format},"{(name, name[:8], network)[state.operator_format]}"']
        case Op.SET:
            mode, shape = command.number(0), command.number(1, state.operator_format)
            if mode not in (0, 1, 2, 3, 4) or shape > 2:
                raise RefusedError(Cme.INCORRECT_PARAMETERS, f"AT+COPS={command.text[:40]}: (0-4),(0-2) is allowed")
            if mode in (1, 4) and command.string(2, network) not in (name, name[:8], network):
                raise RefusedError(Cme.NO_NETWORK, "AT+COPS: no such network")
            state.operator_format = shape
            if mode != 3:
                state.registered = mode != 2
    return []


def _function(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.TEST:
            return ["+CFUN: (0,1,4),(0,1)"]
        case Op.READ:
            return [f"+CFUN: {state.radio}"]
    value = command.number(0, 1)
    if value not in (0, 1, 4):
        raise RefusedError(Cme.INCORRECT_PARAMETERS, f"AT+CFUN={value}: 0, 1 or 4 is allowed")
    state.radio = value
    if command.number(1, 0):
        state.reset()
    return []


def _pin(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.READ:
            return ["+CPIN: READY" if state.unlocked else "+CPIN: SIM PIN"]
        case Op.SET:
            if state.unlocked:
                raise RefusedError(Cme.NOT_ALLOWED, "AT+CPIN: no PIN is asked for")
            if command.string(0) != state.identity.pin:
                raise RefusedError(Cme.INCORRECT_PASSWORD, "AT+CPIN: another PIN is set")
            state.unlocked = True
        case Op.DO:
            raise refuse_op(command)
    return []


def _charset(state: ModemState, command: AtCommand) -> list[str]:
    match command.op:
        case Op.TEST:
            return ["+CSCS: (" + ",".join(f'"{each}"' for each in SETS) + ")"]
        case Op.READ:
            return [f'+CSCS: "{state.charset}"']
        case Op.SET:
            wanted = command.string(0).upper()
            if wanted not in SETS:
                raise RefusedError(Cme.INCORRECT_PARAMETERS, f"AT+CSCS: {wanted[:20]!r} is none of {', '.join(SETS)}")
            state.charset = wanted
        case Op.DO:
            state.charset = "GSM"
    return []


def _signal(state: ModemState, command: AtCommand) -> list[str]:
    if command.op is Op.TEST:
        return ["+CSQ: (0-31,99),(0-7,99)"]
    return [f"+CSQ: {state.signal if state.radio == 1 else 99},99"]


def _fixed(answer: str, possible: str) -> Handler:
    def handle(_state: ModemState, command: AtCommand) -> list[str]:
        if command.op is Op.SET:  # taken, and nothing follows: there is one speed, and no flow control
            return []
        return [possible if command.op is Op.TEST else answer]

    return handle


def _lock(_state: ModemState, command: AtCommand) -> list[str]:
    if command.op is Op.TEST:
        return ['+CLCK: ("SC")']
    if command.string(0) == "SC" and command.number(1) == 2:
        return ["+CLCK: 0"]
    raise refuse_op(command)


def _register(state: ModemState, command: AtCommand) -> list[str]:
    if command.op is Op.READ:
        return [state.registers.get(command.name, "0").zfill(3)]
    if int(command.text or "0") > 255:
        raise RefusedError(None, f"AT{command.name}={command.text}: 0-255 is allowed")
    state.registers[command.name] = command.text or "0"
    return []


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(_IDENTITY, _identity),
    **dict.fromkeys(("E", "V", "Q", "Z", "&F", *_WITHOUT_EFFECT), _basic),
    **dict.fromkeys(SETTINGS, _setting),
    **dict.fromkeys(REGISTRATIONS, _registration),
    **{f"S{number}": _register for number in (0, 3, 4, 5, 7, 8, 10)},
    "+COPS": _operator,
    "+CFUN": _function,
    "+CPIN": _pin,
    "+CSCS": _charset,
    "+CSQ": _signal,
    "+CLCK": _lock,
    "+CBC": _fixed("+CBC: 0,100", "+CBC: (0,1),(0-100)"),
    "+IFC": _fixed("+IFC: 0,0", "+IFC: (0-2),(0-2)"),
    "+IPR": _fixed("+IPR: 0", "+IPR: (0-115200)"),
    "+CPAS": _fixed("+CPAS: 0", "+CPAS: (0)"),
}
