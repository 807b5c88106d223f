"""emergencySMS: 999 by text message, as its service answers a mobile: register, yes, and the texts of an emergency.

Theory. A mobile registers before it is needed: the text `register` to 999 is answered with the terms, `yes` takes them,
and a text says that it worked. `register` from one that is registered tells so. After that any other text to 999 is an
emergency and is handed to the relay assistant, with all that follow, until the assistant closes it; what the assistant
writes goes back to the mobile. A row of `TABLE` is a state, a column what came.

The dialogue is public (advice of police, fire and ambulance services). The wording of the service's texts is not, and
is ours. Not confirmed by a public source: that an offer lapses, and what an unregistered mobile's other texts get.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from harness.errors import LocalError, NumberError
from harness.protocols import uk_numbers

MAX_MOBILES: Final = 10_000
"""Mobiles that the service knows at once, registered or asked."""
MAX_TEXT: Final = 1_530
"""Characters of one text: ten messages joined."""
OFFER_LIFE: Final = 24 * 3_600.0
"""Seconds for which `yes` is awaited. Not confirmed by a public source."""
TERMS: Final = (
    "emergencySMS: use it only if you can't call 999 by voice. Delivery is not certain; help is on its way only when "
    "you get a reply. To accept these terms reply yes."
)
REGISTERED: Final = "emergencySMS: success. Your mobile is now registered."
ALREADY: Final = "emergencySMS: your mobile is already registered."
NOT_REGISTERED: Final = "emergencySMS: your mobile is not registered. Text register to 999, or call 999."
ACCEPT_FIRST: Final = "emergencySMS: your mobile is not registered yet. Reply yes to accept the terms."


class State(Enum):
    """Where one mobile is."""

    UNKNOWN = "not registered"
    OFFERED = "terms sent, yes awaited"
    REGISTERED = "registered"
    OPEN = "an emergency is open"


class Input(Enum):
    """What comes: texts of the mobile, then what the service does."""

    REGISTER = auto()
    YES = auto()
    TEXT = auto()
    ANSWER = auto()
    """The relay assistant writes to the mobile."""
    CLOSE = auto()
    """The relay assistant closes the emergency."""
    LAPSE = auto()
    """The offer's time is over."""


class Action(Enum):
    """What is done at it."""

    NOTHING = auto()
    SEND_TERMS = auto()
    SEND_REGISTERED = auto()
    SEND_ALREADY = auto()
    SEND_NOT_REGISTERED = auto()
    SEND_ACCEPT_FIRST = auto()
    HAND_ON = auto()
    """The text goes to the relay assistant."""
    SEND_ANSWER = auto()


_S, _I, _A = State, Input, Action
TABLE: Final[dict[State, dict[Input, tuple[State, Action]]]] = {
    _S.UNKNOWN: {
        _I.REGISTER: (_S.OFFERED, _A.SEND_TERMS),
        _I.YES: (_S.UNKNOWN, _A.SEND_NOT_REGISTERED),
        _I.TEXT: (_S.UNKNOWN, _A.SEND_NOT_REGISTERED),
        _I.LAPSE: (_S.UNKNOWN, _A.NOTHING),  # crossed a yes
    },
    _S.OFFERED: {
        _I.REGISTER: (_S.OFFERED, _A.SEND_TERMS),
        _I.YES: (_S.REGISTERED, _A.SEND_REGISTERED),
        _I.TEXT: (_S.OFFERED, _A.SEND_ACCEPT_FIRST),
        _I.LAPSE: (_S.UNKNOWN, _A.NOTHING),
    },
    _S.REGISTERED: {
        _I.REGISTER: (_S.REGISTERED, _A.SEND_ALREADY),
        _I.YES: (_S.REGISTERED, _A.SEND_ALREADY),  # sent twice; alone it asks for no help
        _I.TEXT: (_S.OPEN, _A.HAND_ON),
        _I.LAPSE: (_S.REGISTERED, _A.NOTHING),
    },
    # Nothing that is written in an emergency is kept from the assistant.
    _S.OPEN: {
        _I.REGISTER: (_S.OPEN, _A.HAND_ON),
        _I.YES: (_S.OPEN, _A.HAND_ON),
        _I.TEXT: (_S.OPEN, _A.HAND_ON),
        _I.ANSWER: (_S.OPEN, _A.SEND_ANSWER),
        _I.CLOSE: (_S.REGISTERED, _A.NOTHING),
        _I.LAPSE: (_S.OPEN, _A.NOTHING),
    },
}
_TEXTS: Final = {
    _A.SEND_TERMS: TERMS,
    _A.SEND_REGISTERED: REGISTERED,
    _A.SEND_ALREADY: ALREADY,
    _A.SEND_NOT_REGISTERED: NOT_REGISTERED,
    _A.SEND_ACCEPT_FIRST: ACCEPT_FIRST,
}
_ROUND: Final = " \t\r\n.!'\"\u2018\u2019\u201c\u201d"
"""What people put round the one word that they were told to send."""
_WORDS: Final = {"register": _I.REGISTER, "yes": _I.YES}


@dataclass(frozen=True, slots=True)
class Step:
    """What is due after something came."""

    mobile: str
    """Whom it is about, E.164."""
    state: State
    send: str = ""
    """The text that goes to the mobile; empty where none is due."""
    hand_on: str = ""
    """The text that goes to the relay assistant."""
    lapse_in: float | None = None
    """Seconds after which `lapse` is due; None where no timer is set, and one that runs is left."""


class EmergencySms:
    """The service: texts in, texts out, one state a mobile."""

    def __init__(self, registered: tuple[str, ...] = ()) -> None:
        """``registered``: mobiles that are so from the start. Raises NumberError on what is no number."""
        self._states: dict[str, State] = {_mobile(number): State.REGISTERED for number in registered}

    def state(self, number: str) -> State:
        """Where a mobile is. Raises NumberError on what is no number."""
        return self._states.get(_mobile(number), State.UNKNOWN)

    def receive(self, number: str, text: str) -> Step:
        """A text to 999 came from a mobile. Beyond MAX_TEXT it is cut.

        Raises NumberError on what is no number, and LocalError when MAX_MOBILES are known.
        """
        mobile, text = _mobile(number), text[:MAX_TEXT]
        return self._step(mobile, _WORDS.get(text.strip(_ROUND).lower(), Input.TEXT), text)

    def answer(self, number: str, text: str) -> Step:
        """The relay assistant writes to a mobile. Raises NumberError, and LocalError where no emergency is open."""
        return self._step(_mobile(number), Input.ANSWER, text)

    def close(self, number: str) -> Step:
        """The relay assistant closes a mobile's emergency. Raises as `answer`."""
        return self._step(_mobile(number), Input.CLOSE)

    def lapse(self, number: str) -> Step:
        """The time of `Step.lapse_in` is over. Raises NumberError."""
        return self._step(_mobile(number), Input.LAPSE)

    def _step(self, mobile: str, what: Input, text: str = "") -> Step:
        state = self._states.get(mobile, State.UNKNOWN)
        cell = TABLE[state].get(what)
        if cell is None:
            raise LocalError(f"emergencySMS: {what.name.lower()} of a mobile with no open emergency ({state.value})")
        following, action = cell
        if following is State.UNKNOWN:
            self._states.pop(mobile, None)
        elif mobile not in self._states and len(self._states) >= MAX_MOBILES:
            raise LocalError(f"emergencySMS: {MAX_MOBILES} mobiles are known already")
        else:
            self._states[mobile] = following
        return Step(
            mobile,
            following,
            send=text if action is Action.SEND_ANSWER else _TEXTS.get(action, ""),
            hand_on=text if action is Action.HAND_ON else "",
            lapse_in=OFFER_LIFE if action is Action.SEND_TERMS else None,
        )


def _mobile(number: str) -> str:
    found = uk_numbers.parse(number)
    if not found.e164:
        raise NumberError(f"{number!r} is no mobile's number")
    return found.e164
