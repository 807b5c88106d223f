"""What a terminal asks of its network, or tells its transcript, after a command of the terminal equipment."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import PeiRemoteError
from harness.protocols.pei.commands import DefineCall


@dataclass(frozen=True, slots=True)
class SetUpCall:
    """The equipment dialled."""

    cc: int
    destination: int
    """ISSI or GSSI."""
    definition: DefineCall


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """The equipment takes the call that came in."""

    cc: int


@dataclass(frozen=True, slots=True)
class ClearCall:
    """The equipment clears a call."""

    cc: int


@dataclass(frozen=True, slots=True)
class DemandTransmit:
    """The equipment asks to talk."""

    cc: int
    priority: int


@dataclass(frozen=True, slots=True)
class CeaseTransmit:
    """The equipment stops talking, or takes its demand back."""

    cc: int


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """The equipment selected a talkgroup, or none."""

    gssi: int | None


@dataclass(frozen=True, slots=True)
class SendMessage:
    """The equipment sends an SDS or a status."""

    instance: int
    """Handle that the result (`+CMGS: instance,status`) names."""
    destination: int
    service: int
    """AiService."""
    bits: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Reboot:
    """The equipment reset a terminal that takes that for a reboot: it is off the network until it is up again."""


@dataclass(frozen=True, slots=True)
class ChangeMode:
    """The equipment chose trunked or direct mode."""

    mode: int
    """ServiceMode."""


@dataclass(frozen=True, slots=True)
class BadInput:
    """Noise, or a line that no terminal takes."""

    error: PeiRemoteError


@dataclass(frozen=True, slots=True)
class CommandTaken:
    """A command line came and was answered: for the transcript."""

    line: str
    result: str


Request = (
    SetUpCall
    | AnswerCall
    | ClearCall
    | DemandTransmit
    | CeaseTransmit
    | ChangeGroup
    | SendMessage
    | Reboot
    | ChangeMode
    | BadInput
    | CommandTaken
)
