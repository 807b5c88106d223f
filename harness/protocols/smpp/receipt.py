"""Delivery receipts as text (SMPP 3.4 appendix B): the vendor-specific form that everybody writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.errors import SmppError
from harness.protocols.smpp.codes import RECEIPT_STATES, MessageState

_FORM: Final = re.compile(
    r"id:(?P<id>\S{1,65})\s+sub:(?P<sub>\d{3})\s+dlvrd:(?P<dlvrd>\d{3})\s+submit date:(?P<taken>\d{10,12})\s+"
    r"done date:(?P<done>\d{10,12})\s+stat:(?P<stat>[A-Z]{7})\s+err:(?P<err>\w{1,3})(?:\s+text:(?P<text>.*))?",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)
_STATES: Final = {text: state for state, text in RECEIPT_STATES.items()}
TEXT_SHOWN: Final = 20
"""Characters of the message that a receipt repeats."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message."""

    message_id: str
    state: MessageState
    taken: str
    """``YYMMDDhhmm`` in the centre's zone, when it was submitted."""
    done: str
    error: str = "000"
    text: str = ""

    def write(self) -> str:
        """The text."""
        delivered = 1 if self.state is MessageState.DELIVERED else 0
        return (
            f"id:{self.message_id} sub:001 dlvrd:{delivered:03d} submit date:{self.taken} done date:{self.done} "
            f"stat:{RECEIPT_STATES[self.state]} err:{self.error} text:{self.text[:TEXT_SHOWN]}"
        )


def read(text: str) -> Receipt:
    """The receipt in a text. Raises SmppError for what is none."""
    found = _FORM.match(text.strip())
    if found is None:
        raise SmppError(f"not a delivery receipt: {text[:80]!r}")
    state = _STATES.get(found["stat"].upper())
    if state is None:
        raise SmppError(f"a receipt of state {found['stat']!r}; {', '.join(_STATES)} are known")
    return Receipt(found["id"], state, found["taken"], found["done"], found["err"], found["text"] or "")
