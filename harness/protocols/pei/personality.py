"""How makes of terminal differ on the line: blanks, fields left out, hex digits, refusals, what a reset does.

The standard leaves room, and codeplugs differ inside one make too. A personality is a set of habits that were seen
together [C]; none is a specification of a product, and a terminal on the bench may have others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from harness.protocols.pei.codes import CmeError
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.unsolicited import Connected, IncomingCall


@dataclass(frozen=True, slots=True)
class Personality:
    """The habits of one make of terminal."""

    name: str
    """As a testbed file names it."""
    blank: bool = True
    """Whether a blank follows the colon of a code."""
    whole_bytes: bool = True
    """Whether the hex of an SDS is filled up to whole bytes: 84 bits in 22 digits, else in 21."""
    connected_fields: int = 7
    """How many fields `+CTCC` has: 7 or 8."""
    called_party: bool = True
    """Whether `+CTICN` goes on after the slots, to the called party and the priority."""
    calling_in_sds: bool = True
    """Whether `+CTSDSR` has the calling party's two fields."""
    reboots: bool = False
    """Whether `ATZ` reboots it: it answers OK and is gone for a while."""
    refuses: Mapping[str, CmeError] = field(default_factory=dict)
    """Command lines that it refuses though others take them, by how they begin, and with which error."""
    identification: str = "TETRA terminal (simulated)"
    """What it answers to `ATI`."""
    told: Mapping[str, str] = field(
        default_factory=lambda: {"+GMI": "ICCS", "+GMM": "0,SIMULATED", "+GMR": "1", "+CBC": "0,100"}
    )
    """What it answers to `AT+GMI?` and the like: maker, model with a number before it, version, battery (TS 27.007)."""
    _in_full: bool = field(init=False, repr=False, compare=False)
    """Whether it writes every code as the code writes itself."""

    def __post_init__(self) -> None:
        in_full = self.blank and self.whole_bytes and self.called_party and self.calling_in_sds
        object.__setattr__(self, "_in_full", in_full and self.connected_fields <= len(fields(Connected)) - 1)

    def write(self, code: Unsolicited) -> str:
        """A code as this terminal writes it: a line, or two of an SDS, without the outer CR LF."""
        if self._in_full:
            return code.line()
        match code:
            case Connected() if self.connected_fields > len(fields(code)) - 1:
                code = replace(code, proprietary=code.proprietary or 0)
            case IncomingCall() if not self.called_party:
                code = replace(code, called_type=None, called=None, priority=None)
            case SdsReceived() if not self.calling_in_sds:
                code = replace(code, calling=None, calling_type=None)
        line = code.line()
        if isinstance(code, SdsReceived) and not self.whole_bytes:
            head, _, digits = line.partition("\r\n")
            line = f"{head}\r\n{digits[: (code.bits + 3) // 4]}"
        return line if self.blank else line.replace(": ", ":", 1)

    def say(self, name: str) -> str | None:
        """The line of the answer to a command of `told`; None for any other."""
        value = self.told.get(name)
        return None if value is None else f"{name}:{' ' if self.blank else ''}{value}"

    def refusal(self, line: str) -> CmeError | None:
        """The error with which it refuses a command line that others take; None where it does not."""
        if not self.refuses:
            return None
        bare = "".join(line.split()).upper()
        return next((error for begins, error in self.refuses.items() if bare.startswith(begins)), None)


PLAIN = Personality("plain")
MOTOROLA_LIKE = Personality(
    "motorola-like",
    connected_fields=8,
    identification="MOTOROLA-LIKE TETRA terminal (simulated)",
    told={"+GMI": "MOTOROLA-LIKE", "+GMM": "0,SIMULATED", "+GMR": "1", "+CBC": "0,100"},
)
SEPURA_LIKE = Personality(
    "sepura-like",
    blank=False,
    whole_bytes=False,
    called_party=False,
    reboots=True,
    refuses={
        "AT+CTSP=1,1,11": CmeError.SYNTAX,
        "AT+CTSP=1,3,131": CmeError.RANGE,
        "AT+CMEE": CmeError.SYNTAX,
    },
    identification="SEPURA-LIKE TETRA terminal (simulated)",
    told={"+GMI": "SEPURA-LIKE", "+GMM": "0,SIMULATED", "+GMR": "1", "+CBC": "0,100"},
)
PERSONALITIES: Mapping[str, Personality] = {each.name: each for each in (PLAIN, MOTOROLA_LIKE, SEPURA_LIKE)}
