"""What a simulated SMS network is told at its start: addresses, its modem, its SMPP accounts, how long things take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.protocols.gsm.storage import DEFAULT_SLOTS, MAX_SLOTS
from harness.protocols.smpp.session import DEFAULT_WINDOW
from simulators.settings import E164, Span, Strict

ShortCode = Annotated[str, Field(pattern=r"^[1-9][0-9]{2,7}$")]
SystemId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,15}$")]
MAX_ACCOUNTS = 64
MAX_NUMBERS = 100


class ModemSettings(Strict):
    """The modem."""

    number: E164 = "+447700900000"
    """Its subscriber's number."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 115200
    tcp_port: int | None = Field(default=0, ge=0, le=65535)
    """Where its line is reached by TCP too; 0 takes any free port, null none."""
    pin: Annotated[str, Field(pattern=r"^(?:[0-9]{4,8})?$")] = ""
    me_slots: int = Field(default=DEFAULT_SLOTS["ME"], ge=1, le=MAX_SLOTS)
    """Messages that the modem's own store holds."""
    sm_slots: int = Field(default=DEFAULT_SLOTS["SM"], ge=1, le=MAX_SLOTS)
    """Messages that its SIM holds."""


class AccountSettings(Strict):
    """Who may bind by SMPP."""

    system_id: SystemId = "iccs"
    password: Annotated[SecretStr, Field(min_length=1, max_length=8)] | None = None
    """Up to eight characters, as SMPP has it; one is made for the run where none is given."""
    numbers: tuple[E164 | ShortCode, ...] = Field(default=("+447700900001",), min_length=1, max_length=MAX_NUMBERS)
    """Numbers and short codes whose texts it gets; the first is its sender where a submit_sm names none."""
    window: int = Field(default=DEFAULT_WINDOW, ge=1, le=10_000)
    """Requests that may be unanswered in one direction."""
    rate: float | None = Field(default=None, gt=0, le=100_000)
    """Texts a second; those beyond are answered ESME_RTHROTTLED. None: as many as come."""
    sessions: int = Field(default=8, ge=1, le=64)
    """Sessions at once; a bind beyond is answered ESME_RBINDFAIL."""


class SmsSettings(Strict):
    """A simulated SMS network as the testbed file describes it."""

    host: str = "127.0.0.1"
    smpp_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the service centre; 0 takes any free one."""
    http_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the control interface; 0 takes any free one."""
    token: SecretStr | None = None
    """What the control interface asks for; needed where ``host`` is not loopback."""
    centre: E164 = "+447700900999"
    """The service centre's number."""
    system_id: SystemId = "ICCS-SMSC"
    zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,40}$")] = "Europe/London"
    """Whose local time stamps tell, with summer time."""
    modem: ModemSettings = ModemSettings()
    accounts: tuple[AccountSettings, ...] = Field(default=(AccountSettings(),), max_length=MAX_ACCOUNTS)
    deliver_s: Span = Span(least=0.05, most=0.2)
    """From a text's being taken to the first try to deliver it; evenly between the bounds."""
    retry_s: float = Field(default=5.0, ge=0.05, le=3600)
    """From a try that failed to the next."""
    validity_s: float = Field(default=172_800, ge=1, le=2_592_000)
    """How long a text is tried that names no validity, and at most."""

    @model_validator(mode="after")
    def _fit(self) -> SmsSettings:
        numbers = [self.modem.number, *(number for account in self.accounts for number in account.numbers)]
        for number in numbers:
            if numbers.count(number) > 1:
                raise ValueError(f"{number} is given twice")
        names = [account.system_id for account in self.accounts]
        if len(set(names)) < len(names):
            raise ValueError("two accounts have the same system_id")
        return self
