"""Lines: numbers that telephones register as, and what each may do."""

from __future__ import annotations

from pydantic import Field, SecretStr

from simulators.settings import E164, Strict
from simulators.switch.settings.base import DialledNumber, DisplayName, Extension, Identity, Label, SpeechSettings

MAX_LINES = 2_000


class ForwardSettings(Strict):
    """Where calls to a line go instead."""

    all: DialledNumber | None = None
    busy: DialledNumber | None = None
    no_answer: DialledNumber | None = None
    unregistered: DialledNumber | None = None
    """Where no telephone is registered."""


class LineSettings(SpeechSettings):
    """One directory number. Several telephones that register as it share it: all ring, one answers."""

    number: Extension
    password: SecretStr
    """What its telephones register with (digest)."""
    name: DisplayName = ""
    external: E164 | None = None
    """The number that trunks know it by, both ways."""
    withheld: bool = False
    """Whether its number is withheld on calls that leave the switch; 141 before a number does so for one call."""
    site: Label | None = None
    pickup_group: Label | None = None
    max_calls: int = Field(default=2, ge=1, le=20)
    """Calls at once; a further one finds the line busy."""
    call_waiting: bool = True
    """Whether a second call rings while one is up; without it the line is busy with one."""
    no_answer_s: float = Field(default=20.0, gt=0, le=600)
    """Seconds for which it rings until the call is forwarded, or given up."""
    forward: ForwardSettings = ForwardSettings()
    voicemail: bool = True
    """Whether a busy, unanswered or unregistered line without a forward of its own leads to its mailbox, if there is
    voicemail."""
    voicemail_pin: SecretStr | None = None
    """What the mailbox asks for before it plays; nothing where left out."""
    barred: tuple[str, ...] = Field(default=(), max_length=100)
    """Patterns of the dial plan that it may not call. Emergency numbers can't be barred."""
    auto_answer: bool = False
    """Whether its telephones are asked to answer by themselves (Call-Info ``answer-after=0``)."""
    remote_control: bool = False
    """Whether its telephones take NOTIFY with Event ``talk`` and ``hold``, so that a call can be answered for them."""
    identity: tuple[Identity, ...] = ("P-Asserted-Identity",)
    """How a caller is told, beside From."""
