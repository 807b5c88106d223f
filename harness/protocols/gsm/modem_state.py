"""What a modem remembers between commands: its identity, the settings of `AT&F`, stores, the network as it sees it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from harness.protocols.gsm.address import Address
from harness.protocols.gsm.stamps import Stamp
from harness.protocols.gsm.storage import Storage


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a modem says it is. The subscriber and equipment numbers are of the test ranges: network 001-01, model 0."""

    number: str = "+447700900000"
    """E.164; what texts that it sends come from."""
    maker: str = "ICCS"
    model: str = "Simulated modem"
    revision: str = "1"
    imei: str = "004999010640000"
    imsi: str = "001010123456789"
    operator: str = "Simulated"
    network: str = "00101"
    pin: str = ""
    """With a PIN, nothing but its entry is taken until it is entered."""


class Setting(NamedTuple):
    """A setting of one number."""

    allowed: str
    """As its test command shows it: ``(0-2)``, ``(0,1)``."""
    least: int
    most: int
    factory: int


SETTINGS: Final[dict[str, Setting]] = {
    "+CMEE": Setting("(0-2)", 0, 2, 0),
    "+CMGF": Setting("(0,1)", 0, 1, 0),
    "+CSDH": Setting("(0,1)", 0, 1, 0),
    "+CMMS": Setting("(0-2)", 0, 2, 0),
    "+CRC": Setting("(0,1)", 0, 1, 0),
    "+CLIP": Setting("(0,1)", 0, 1, 0),
    "+CVHU": Setting("(0,1)", 0, 1, 0),
    "+CR": Setting("(0,1)", 0, 1, 0),
    "+CGATT": Setting("(0,1)", 0, 1, 1),
}
"""Settings that are a number and nothing else."""
REGISTRATIONS: Final = ("+CREG", "+CGREG", "+CEREG")
FACTORY_NOTIFICATION: Final = (0, 0, 0, 0, 0)
MAX_HELD: Final = 32
"""Codes that are held while `AT+CNMI=0` or a message being typed keeps them back; the oldest go."""


class TextParameters(NamedTuple):
    """`AT+CSMP`: what text mode puts into a SUBMIT."""

    first: int = 17
    """The first octet: report asked for (32), validity's format (8, 16, 24)."""
    validity: int | Stamp = 167
    protocol: int = 0
    dcs: int = 0


FACTORY_TEXT: Final = TextParameters()


@dataclass(slots=True)
class ModemState:
    """One modem."""

    identity: Identity
    storage: Storage
    centre: Address | None
    """The service centre (`AT+CSCA`); None where none is known, and nothing can be sent."""
    echo: bool = True
    verbose: bool = True
    quiet: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    """The settings of SETTINGS and REGISTRATIONS."""
    registers: dict[str, str] = field(default_factory=dict)
    """S registers."""
    charset: str = "GSM"
    notification: tuple[int, int, int, int, int] = FACTORY_NOTIFICATION
    """`AT+CNMI`: mode, mt, bm, ds, bfr."""
    text: TextParameters = FACTORY_TEXT
    service: int = 0
    """`AT+CSMS`: with 1, codes that bring a whole message are acknowledged by `AT+CNMA`."""
    stores: tuple[str, str, str] = ("SM", "SM", "SM")
    """`AT+CPMS`: read and deleted from, written and sent from, received into."""
    operator_format: int = 0
    radio: int = 1
    """`AT+CFUN`: 1 on, 0 and 4 off."""
    unlocked: bool = True
    registered: bool = True
    """Whether the network has it."""
    signal: int = 20
    """`AT+CSQ`'s rssi, 0-31 or 99."""
    reference: int = 0
    """Of the SUBMIT that comes next."""
    held: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_HELD))
    """Codes that may not stand on the line yet."""

    def __post_init__(self) -> None:
        self.reset()
        self.unlocked = not self.identity.pin

    def reset(self) -> None:
        """Settings as from the factory: `AT&F` and `ATZ`. Stores, the service centre and the PIN stay."""
        self.echo, self.verbose, self.quiet = True, True, False
        self.numbers = {name: setting.factory for name, setting in SETTINGS.items()} | dict.fromkeys(REGISTRATIONS, 0)
        self.registers = {"S0": "0", "S3": "13", "S4": "10", "S5": "8", "S7": "60"}
        self.charset, self.notification, self.text = "GSM", FACTORY_NOTIFICATION, FACTORY_TEXT
        self.service, self.operator_format = 0, 0

    @property
    def on_network(self) -> bool:
        """Whether a text could leave."""
        return self.registered and self.radio == 1 and self.unlocked

    @property
    def text_mode(self) -> bool:
        """`AT+CMGF=1`."""
        return self.numbers["+CMGF"] == 1

    @property
    def detailed(self) -> bool:
        """`AT+CSDH=1`: text mode shows every header."""
        return self.numbers["+CSDH"] == 1

    def next_reference(self) -> int:
        """The message reference of a SUBMIT, 0-255 in turn."""
        used, self.reference = self.reference, (self.reference + 1) % 256
        return used
