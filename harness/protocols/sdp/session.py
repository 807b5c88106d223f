"""One dialog's media session: whose offer is open, what was agreed, what is said next (RFC 3264, RFC 6337).

Theory. A session is stable, or one offer is open: ours, or theirs. An offer ends in an answer or, refused, in what held
before it; a second offer meanwhile is a mistake of whoever makes it (RFC 3264 section 4, RFC 6337 section 2.3: 491).
The table below says it all. Around it, what a session must keep from one description to the next:

- the o-line's id, and its version, one more whenever the description differs from the last one (RFC 3264 section 8);
- the m-lines, which never become fewer or change places: one that is over keeps its place with port 0 (section 8.2);
- what each payload type means (section 8.3.2), and each stream's SRTP key while its address stays.

A direction in an offer is what *its author* wishes. One that was put on hold still offers what it would like, and the
other side's answer keeps the hold (RFC 6337 section 5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from harness.errors import SdpError, SdpLocalError
from harness.protocols.sdp.crypto import Crypto, KeySource, offered
from harness.protocols.sdp.description import MAX_MEDIA, Media, Session, head, parse
from harness.protocols.sdp.formats import Formats
from harness.protocols.sdp.plan import DEFAULT_PTIME, Agreement, StreamPlan
from harness.protocols.sdp.streams import agree, answer_stream, why_refused
from harness.protocols.sdp.writing import own_clocks, own_formats, refusal, write_stream

_HOLD: Final = {"sendrecv": "sendonly", "sendonly": "sendonly", "recvonly": "inactive", "inactive": "inactive"}
"""What a stream's direction becomes on hold (RFC 3264 section 8.4)."""
_PLAIN: Final = "RTP/AVP"
_SECURED: Final = "RTP/SAVP"


class State(Enum):
    """Whose offer is open."""

    STABLE = "stable"
    OURS_OPEN = "our offer is open"
    THEIRS_OPEN = "the peer's offer is open"


class Step(Enum):
    """What moves a session on."""

    WE_OFFER = "make an offer"
    THEY_OFFER = "take an offer"
    WE_ANSWER = "answer"
    THEY_ANSWER = "take an answer"
    WITHDRAWN = "withdraw"


STATES: Final = {
    (State.STABLE, Step.WE_OFFER): State.OURS_OPEN,
    (State.STABLE, Step.THEY_OFFER): State.THEIRS_OPEN,
    (State.STABLE, Step.WITHDRAWN): State.STABLE,
    (State.OURS_OPEN, Step.THEY_ANSWER): State.STABLE,
    (State.OURS_OPEN, Step.WITHDRAWN): State.STABLE,
    (State.THEIRS_OPEN, Step.WE_ANSWER): State.STABLE,
    (State.THEIRS_OPEN, Step.WITHDRAWN): State.STABLE,
}
"""Every step that is allowed; any other is an error and changes nothing."""


@dataclass(slots=True)
class _Place:
    """One m-line of the session: what it is, and what must outlive a single description."""

    kind: str
    protocol: str
    refused: str
    """The m-line that keeps the place when nothing is to be had there."""
    plan: int | None = None
    """Which of our plans lives here."""
    numbers: Formats = field(default_factory=dict)
    """Payload types that have been given a meaning."""
    keys: dict[str, bytes] = field(default_factory=dict)
    """Our SRTP keys by suite."""


class MediaSession:
    """A session's two descriptions. It has no clock and no socket: the call layer carries what it writes."""

    def __init__(
        self, host: str, plans: Sequence[StreamPlan], *, session_id: int, keys: KeySource | None = None
    ) -> None:
        """`host`: the address in our descriptions; `plans`: the streams that we would have, by preference.

        `session_id`: the o-line's, unique on this host (RFC 8866 section 5.2); `keys`: where SRTP keys come from,
        needed where a plan is to be secured. Raises SdpLocalError for a plan that can't be.
        """
        self._host = host
        self._session_id = session_id
        self._keys = keys
        self._version = 0  # of our last description
        self._highest = 0  # version that has been on the wire, refused offers included
        self._state = State.STABLE
        self._places: list[_Place] = []
        self._their_offer: Session | None = None
        self._fallback: tuple[bytes, bytes, int, tuple[Agreement | None, ...], list[_Place]] | None = None
        self._plans: tuple[StreamPlan, ...] = ()
        self._held = False
        self.local = b""
        """Our last description; empty before the first."""
        self.remote = b""
        """The peer's last description; empty before the first."""
        self.agreed: tuple[Agreement | None, ...] = ()
        """What holds, one for each plan, None where the stream is refused; empty before the first answer."""
        self.change(*plans)

    @property
    def state(self) -> State:
        """Whose offer is open."""
        return self._state

    @property
    def held(self) -> bool:
        """Whether we have put the other side on hold."""
        return self._held

    @property
    def plans(self) -> tuple[StreamPlan, ...]:
        """The streams that we would have."""
        return self._plans

    def change(self, *plans: StreamPlan) -> None:
        """Have the next description say something else; plans keep their places, and new ones come after them.

        Raises SdpLocalError when there are fewer plans than before (a stream ends with port 0), another kind in a
        plan's place, or a plan to be secured and no keys.
        """
        if not 0 < len(plans) <= MAX_MEDIA:
            raise SdpLocalError(f"a session has 1 to {MAX_MEDIA} streams, not {len(plans)}")
        if len(plans) < len(self._plans):
            raise SdpLocalError("a stream that is over keeps its place: give it port 0 (RFC 3264 section 8.2)")
        for before, plan in zip(self._plans, plans, strict=False):
            if before.kind != plan.kind:
                raise SdpLocalError(f"the {before.kind} stream can't become {plan.kind} (RFC 3264 section 8.3.3)")
        if self._keys is None and any(plan.secure != "no" for plan in plans):
            raise SdpLocalError("a secured stream needs keys; give the session a key source")
        self._plans = plans

    def hold(self) -> None:
        """Have the next description put the other side on hold: we send at most (RFC 3264 section 8.4)."""
        self._held = True

    def resume(self) -> None:
        """Have the next description take the other side off hold."""
        self._held = False

    # --- our offer ---

    def offer(self) -> bytes:
        """Write an offer: the first one, or a new one. Raises SdpLocalError while another is open."""
        after = self._allowed(Step.WE_OFFER)
        before = self._snapshot()
        lines: list[str] = []
        used: set[int] = set()
        for place in self._places:
            if place.plan is not None:
                used.add(place.plan)
        fresh = [index for index in range(len(self._plans)) if index not in used]
        for index in fresh:
            self._places += self._new_places(index)
        try:
            for place in self._places:
                lines += self._offer_lines(place)
        except BaseException:
            self._places = before[4]
            raise
        self._write(lines, "t=0 0")
        self._fallback, self._state = before, after
        return self.local

    def _new_places(self, index: int) -> list[_Place]:
        plan = self._plans[index]
        protocols = {"no": (_PLAIN,), "optional": (_SECURED, _PLAIN), "required": (_SECURED,)}[plan.secure]
        return [_Place(plan.kind, protocol, f"m={plan.kind} 0 {protocol} 0", plan=index) for protocol in protocols]

    def _offer_lines(self, place: _Place) -> list[str]:
        plan = None if place.plan is None else self._plans[place.plan]
        if plan is None or not plan.port:
            return [place.refused]
        formats = own_formats(plan, place.numbers)
        place.numbers |= formats
        place.refused = f"m={plan.kind} 0 {place.protocol} {next(iter(formats))}"
        crypto: list[Crypto] = []
        if place.protocol != _PLAIN and plan.secure != "no":
            assert self._keys is not None
            for line in offered(self._keys, [suite for suite in plan.suites if suite not in place.keys]):
                place.keys[line.suite] = line.key
            crypto = [Crypto(tag, suite, place.keys[suite]) for tag, suite in enumerate(plan.suites, 1)]
        ptime = None if plan.kind == "text" else plan.ptime or DEFAULT_PTIME
        clocks = own_clocks(formats)
        return write_stream(plan, place.protocol, formats, self._direction(plan), ptime, clocks=clocks, crypto=crypto)

    def take_answer(self, data: bytes) -> tuple[Agreement | None, ...]:
        """Take the answer to our offer; return what is agreed, one for each plan.

        Raises SdpError where it does not fit, with our offer still open: the call layer answers for what comes then
        (a BYE, or `withdraw`). Raises SdpLocalError when no offer of ours is open.
        """
        after = self._allowed(Step.THEY_ANSWER)
        answer = parse(data)
        found: list[Agreement | None] = [None] * len(self._plans)
        for place, agreed in zip(self._places, agree(parse(self.local), answer), strict=True):
            if place.plan is not None and found[place.plan] is None:
                found[place.plan] = agreed
        for place, theirs in zip(self._places, answer.media, strict=True):
            place.numbers = theirs.codecs() | place.numbers
            if not theirs.port and self._lives_elsewhere(place, answer):
                place.plan = None
        self.remote, self.agreed, self._state, self._fallback = data, tuple(found), after, None
        return self.agreed

    def _lives_elsewhere(self, place: _Place, answer: Session) -> bool:
        """Whether the peer took the same stream of ours under another profile."""
        for other, theirs in zip(self._places, answer.media, strict=True):
            if other is not place and other.plan == place.plan and theirs.port:
                return True
        return False

    # --- the peer's offer ---

    def take_offer(self, data: bytes) -> bool:
        """Take an offer of the peer's; return whether it differs from its last description.

        Raises SdpError for one that can't be read or drops streams (a 488 is due), SdpLocalError while an offer is
        open (491 for ours, 500 with Retry-After for theirs; RFC 3261 section 14.2).
        """
        after = self._allowed(Step.THEY_OFFER)
        session = parse(data)
        if len(session.media) < len(self._places):
            raise SdpError(
                f"a new offer of {len(session.media)} streams where the session has {len(self._places)}: m-lines stay "
                "(RFC 3264 section 8)"
            )
        for place, theirs in zip(self._places, session.media, strict=False):
            if theirs.port and place.plan is not None and theirs.kind != place.kind:
                raise SdpError(f"the {place.kind} stream is offered as {theirs.kind}")
        self._fallback, self._their_offer, self._state = self._snapshot(), session, after
        changed, self.remote = data != self.remote, data
        return changed

    def answer(self) -> bytes:
        """Write the answer to the peer's offer.

        Raises SdpError where no stream of it fits a plan of ours (a 488 is due, and `withdraw`), SdpLocalError when no
        offer of theirs is open.
        """
        after = self._allowed(Step.WE_ANSWER)
        session = self._their_offer
        assert session is not None
        places = [replace(place, numbers=dict(place.numbers), keys=dict(place.keys)) for place in self._places]
        found: list[Agreement | None] = [None] * len(self._plans)
        lines: list[str] = []
        for index, theirs in enumerate(session.media):
            if index == len(places):
                places.append(_Place(theirs.kind, theirs.protocol, ""))
            place = places[index]
            place.refused, place.protocol, place.kind = refusal(theirs), theirs.protocol, theirs.kind
            lines += self._answer_lines(session, theirs, place, places, found)
        if not any(found) and any(theirs.port for theirs in session.media):
            raise SdpError("; ".join(why_refused(session, plan) for plan in self._plans if plan.port))
        self._places = places
        self._write(lines, session.times)
        self.agreed, self._their_offer, self._state, self._fallback = tuple(found), None, after, None
        return self.local

    def _answer_lines(
        self,
        session: Session,
        theirs: Media,
        place: _Place,
        places: list[_Place],
        found: list[Agreement | None],
    ) -> list[str]:
        """Answer one m-line with the plan that lives there, or with the first of its kind that has no place yet."""
        if place.plan is not None:
            candidates = [place.plan]
        else:
            living = {other.plan for other, media in zip(places, session.media, strict=False) if media.port}
            candidates = [
                index
                for index, plan in enumerate(self._plans)
                if plan.kind == theirs.kind and found[index] is None and index not in living
            ]
        for index in candidates:
            plan = self._plans[index]
            wanted = plan._replace(direction=self._direction(plan))
            took = answer_stream(session, theirs, wanted, self._keys, place.keys)
            if took is not None:
                for other in places:
                    if other.plan == index:
                        other.plan = None
                place.plan = index
                place.numbers |= theirs.codecs()
                written, found[index] = took
                return written
        return [place.refused]

    # --- either ---

    def withdraw(self) -> None:
        """The open offer was refused, or the request that carried it failed: what held before holds again."""
        after = self._allowed(Step.WITHDRAWN)
        if self._fallback is not None:
            self.local, self.remote, self._version, self.agreed, self._places = self._fallback
        self._their_offer, self._fallback, self._state = None, None, after

    def _direction(self, plan: StreamPlan) -> str:
        return _HOLD[plan.direction] if self._held else plan.direction

    def _write(self, lines: list[str], times: str) -> None:
        """Set our description; its version grows when it says something new (RFC 3264 section 8)."""

        def described(version: int) -> bytes:
            return "\r\n".join([*head(self._host, self._session_id, version, times), *lines, ""]).encode()

        if described(self._version) == self.local:
            return
        self._version = self._highest = self._highest + 1
        self.local = described(self._version)

    def _snapshot(self) -> tuple[bytes, bytes, int, tuple[Agreement | None, ...], list[_Place]]:
        places = [replace(place, numbers=dict(place.numbers), keys=dict(place.keys)) for place in self._places]
        return self.local, self.remote, self._version, self.agreed, places

    def _allowed(self, step: Step) -> State:
        after = STATES.get((self._state, step))
        if after is None:
            raise SdpLocalError(f"can't {step.value} while the session is {self._state.value} (RFC 3264 section 4)")
        return after
