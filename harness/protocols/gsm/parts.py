"""Long texts in parts (3GPP TS 23.040 section 9.2.3.24.1): splitting, and joining what comes in any order."""

from __future__ import annotations

from typing import Final

from harness.errors import SmsError
from harness.protocols.gsm.coding import Alphabet, alphabet_of, fitting
from harness.protocols.gsm.user_data import MAX_OCTETS, Part, UserData
from harness.protocols.location import gsm7

MAX_PARTS: Final = 255
MAX_JOINING: Final = 256
"""Long texts that are joined at once; the oldest is given up for one more."""


def split(text: str, reference: int, *, wide: bool = False, alphabet: Alphabet | None = None) -> list[UserData]:
    """Text as one message, or as parts with a ``reference`` of 8 bits (16 where ``wide``).

    ``alphabet`` is GSM 7-bit where it has every character, else UCS-2. Neither an escaped character nor a surrogate
    pair is parted. Raises SmsError for more than 255 parts, or a character that the alphabet lacks.
    """
    alphabet = alphabet or fitting(text)
    if alphabet is Alphabet.OCTETS:
        raise SmsError("text is sent in GSM 7-bit or UCS-2; 8-bit is for data")
    whole = UserData.of(text, alphabet)
    most = gsm7.SMS_SEPTETS if alphabet is Alphabet.GSM7 else MAX_OCTETS
    if len(whole.body()) <= most:
        return [whole]
    header = 7 if wide else 6
    room = (8 * (MAX_OCTETS - header)) // 7 if alphabet is Alphabet.GSM7 else (MAX_OCTETS - header) // 2 * 2
    pieces = _pieces(text, alphabet, room)
    if len(pieces) > MAX_PARTS:
        raise SmsError(f"a text of {len(pieces)} parts; {MAX_PARTS} at most are allowed")
    return [
        UserData.of(piece, alphabet, (Part(reference, len(pieces), number, wide).element(),))
        for number, piece in enumerate(pieces, 1)
    ]


def _pieces(text: str, alphabet: Alphabet, room: int) -> list[str]:
    pieces, began, used = [], 0, 0
    for at, character in enumerate(text):
        size = (gsm7.septets(character) or 0) if alphabet is Alphabet.GSM7 else (4 if ord(character) > 0xFFFF else 2)
        if used + size > room:
            pieces.append(text[began:at])
            began, used = at, 0
        used += size
    return [*pieces, text[began:]]


class Assembler:
    """Joins the parts of long texts, by sender; keeps at most MAX_JOINING that are not whole."""

    def __init__(self) -> None:
        self._joining: dict[tuple[str, Part], dict[int, UserData]] = {}

    def take(self, sender: str, content: UserData) -> UserData | None:
        """The whole message, without the part's element, once its last part is here; None until then.

        What is in no part is given back as it is; a part that came before replaces itself.
        """
        part = content.part
        if part is None:
            return content
        key = (sender, part._replace(number=1))
        joining = self._joining.setdefault(key, {})
        joining[part.number] = content
        if len(joining) < part.total:
            if len(self._joining) > MAX_JOINING:
                del self._joining[next(iter(self._joining))]
            return None
        del self._joining[key]
        pieces = [joining[number] for number in range(1, part.total + 1)]
        # Parts in GSM 7-bit and in UCS-2 may be mixed: the whole is in what holds both.
        widest = max((piece.dcs for piece in pieces), key=lambda dcs: alphabet_of(dcs) is Alphabet.UCS2)
        whole = "".join(piece.text for piece in pieces), b"".join(piece.data for piece in pieces)
        return UserData(*whole, widest, pieces[0].without_part())
