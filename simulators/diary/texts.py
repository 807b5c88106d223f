"""The queue of texts: each made once for what it is for, sent once or not at all, and never lost sight of.

Theory. MOVES tells which state follows which. A text is marked as with the gateway, and that is committed, before it is
given to it: found so at a start, it may have gone or not, and is told to an adviser as that and not sent again. All
other states are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, select

from simulators.diary import tasks, wording
from simulators.diary.desk import Desk
from simulators.diary.refusals import FullError
from simulators.diary.tables import MAX_TEXTS, Appointment, Number, Text, TextState

S = TextState
MOVES: Final[dict[TextState, frozenset[TextState]]] = {
    S.WAITING: frozenset({S.SENDING, S.WITHDRAWN, S.EXPIRED}),
    S.SENDING: frozenset({S.SENT, S.WAITING, S.FAILED, S.UNCERTAIN}),
    S.SENT: frozenset({S.DELIVERED, S.FAILED, S.UNREPORTED}),
    S.UNCERTAIN: frozenset({S.DELIVERED, S.FAILED}),  # a report of it settles what nobody knew
    S.UNREPORTED: frozenset({S.DELIVERED, S.FAILED}),
    S.WITHDRAWN: frozenset({S.WAITING}),  # its number wants texts again
    S.DELIVERED: frozenset(),
    S.FAILED: frozenset(),
    S.EXPIRED: frozenset(),
}
OPEN: Final = (S.WAITING, S.SENDING)
REMINDER: Final = "reminder"
TO_ADVISERS: Final = frozenset({S.FAILED, S.UNCERTAIN, S.UNREPORTED})
"""States of which an adviser is told."""
MAX_STEP: Final = 500
"""Texts that one step lets expire, or tells as late or unreported."""


def name_of(id_: int) -> str:
    """A text's id as it is told."""
    return f"X-{id_:07d}"


def move(desk: Desk, text: Text, state: TextState, *, why: str = "") -> None:
    """Bring a text into another state, told to those who look on, and to advisers where they must act."""
    was = TextState(text.state)
    assert state in MOVES[was], f"a text that is {was} does not become {state}"
    text.state, text.settled, text.why = state, desk.now, why[:300]
    told = {"text": name_of(text.id), "text_kind": text.kind, "to": text.telephone}
    desk.tell(f"text.{state}", **told, appointment=_appointment(text.appointment), why=why or None)
    if state in TO_ADVISERS:
        tasks.make(
            desk,
            f"text_{state}",
            key=f"text:{text.id}:{state}",
            about=_appointment(text.appointment) or name_of(text.id),
            text=f"The {text.kind} to {text.telephone} is {state}{': ' + why if why else ''}. Tell them another way.",
        )


def _appointment(id_: int | None) -> str | None:
    return None if id_ is None else f"A-{id_:06d}"


def number_of(desk: Desk, telephone: str) -> Number:
    """What is known of a number; made where nothing is yet."""
    found = desk.session.get(Number, telephone)
    if found is None:
        found = Number(telephone=telephone, stopped=False, helped=False, replies=0)
        desk.session.add(found)
        desk.session.flush()
    return found


def is_stopped(desk: Desk, telephone: str) -> bool:
    """Whether a number wants no texts."""
    return bool(desk.session.scalar(select(Number.stopped).where(Number.telephone == telephone)))


def has(desk: Desk, key: str) -> bool:
    """Whether there is a text with that key."""
    return desk.session.scalar(select(Text.id).where(Text.key == key)) is not None


def plan(
    desk: Desk,
    kind: str,
    *,
    key: str,
    telephone: str,
    body: str,
    appointment: Appointment | None = None,
    due: float | None = None,
    last: bool = False,
) -> None:
    """Queue a text; to a number that wants none only its ``last``. The table refuses a second one with that key.

    Raises FullError.
    """
    session = desk.session
    at = desk.now if due is None else due
    about = None if appointment is None else appointment.id
    expires = None if appointment is None or kind == "cancelled" else float(appointment.starts)
    text = Text(
        key=key, appointment=about, kind=kind, telephone=telephone, body=body, due=at, planned=at, expires=expires
    )
    text.state, text.late, text.attempts, text.why = S.WAITING, False, 0, ""
    session.add(text)
    session.flush()
    if text.id > MAX_TEXTS:
        raise FullError(f"{MAX_TEXTS} texts are kept, and no more")
    if not last and is_stopped(desk, telephone):
        move(desk, text, S.WITHDRAWN, why="the number wants no texts")
        if kind != REMINDER:
            name = _appointment(about)
            tasks.make(
                desk,
                "text_unwanted",
                key=f"text:{text.id}:unwanted",
                about=name or telephone,
                text=f"{telephone} wants no texts: tell them another way of {kind}, {name or 'no appointment'}.",
            )


def plan_of(desk: Desk, kind: str, appointment: Appointment) -> None:
    """Queue the text of ``kind`` about an appointment as it now is."""
    diary = desk.diary(appointment.diary)
    due = appointment.starts - desk.settings.texts.reminder_s if kind == REMINDER else None
    if due is not None and due <= desk.now:
        return  # what was told at booking is reminder enough
    body = wording.of_appointment(kind, desk.settings, diary, desk.zone(diary), appointment)
    key = f"{appointment.id}:{appointment.moved}:{kind}"
    plan(desk, kind, key=key, telephone=appointment.telephone, body=body, appointment=appointment, due=due)


def withdraw(desk: Desk, why: str, *, appointment: int | None = None, telephone: str | None = None) -> None:
    """Let what waits of an appointment, or to a number, not go."""
    wanted = select(Text).where(Text.state == S.WAITING).order_by(Text.id)
    wanted = wanted.where(Text.telephone == telephone if appointment is None else Text.appointment == appointment)
    for text in desk.session.scalars(wanted).all():
        move(desk, text, S.WITHDRAWN, why=why)


def resume(desk: Desk, telephone: str) -> None:
    """Let reminders that were withdrawn because a number wanted none wait again, where they are still to come."""
    wanted = select(Text).where(Text.telephone == telephone, Text.state == S.WITHDRAWN, Text.kind == REMINDER)
    for text in desk.session.scalars(wanted.where(Text.due > desk.now).order_by(Text.id)).all():
        appointment = desk.session.get_one(Appointment, text.appointment)
        if appointment.live and text.key == f"{appointment.id}:{appointment.moved}:{REMINDER}":
            move(desk, text, S.WAITING)


@dataclass(frozen=True, slots=True)
class Job:
    """A text that is to be given to the gateway now."""

    id: int
    telephone: str
    body: str
    validity_s: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """What there is to do."""

    job: Job | None
    until: float | None
    """When there may be something next, seconds since 1970; None: not before something happens."""


def recover(desk: Desk) -> int:
    """At a start: what was with the gateway is uncertain. Returns the number of this start."""
    for text in desk.session.scalars(select(Text).where(Text.state == S.SENDING).order_by(Text.id)).all():
        move(desk, text, S.UNCERTAIN, why="the Diary ended while the text was with the gateway")
    return (desk.session.scalar(select(func.max(Text.session))) or 0) + 1


def step(desk: Desk, session: int, *, up: bool) -> Step:
    """Let expire what is over, tell what is late, and mark the next text that is due as with the gateway.

    Only the first where the gateway is not ``up``.
    """
    _settle(desk)
    job: Job | None = None
    if up:
        due = select(Text).where(Text.state == S.WAITING, Text.due <= desk.now)
        # A thousand reminders of one morning don't hold up the confirmation that somebody waits for.
        order = (case((Text.kind == REMINDER, 1), else_=0), Text.due, Text.id)
        text = desk.session.scalar(due.order_by(*order).limit(1))
        if text is not None:
            move(desk, text, S.SENDING)
            text.attempts += 1
            text.session = session
            left = None if text.expires is None else text.expires - desk.now
            job = Job(text.id, text.telephone, text.body, left)
    desk.session.flush()
    return Step(job, None if job is not None else _next(desk, up=up))


def _settle(desk: Desk) -> None:
    session, settings = desk.session, desk.settings.texts
    over = select(Text).where(Text.state == S.WAITING, Text.expires <= desk.now).order_by(Text.id).limit(MAX_STEP)
    for text in session.scalars(over).all():
        move(desk, text, S.EXPIRED, why="the appointment's time has come")
    late = select(Text).where(Text.state.in_(OPEN), Text.late.is_(False), Text.planned <= desk.now - settings.confirm_s)
    for text in session.scalars(late.order_by(Text.id).limit(MAX_STEP)).all():
        text.late = True
        desk.tell("text.late", text=name_of(text.id), text_kind=text.kind, appointment=_appointment(text.appointment))
    unreported = select(Text).where(Text.state == S.SENT, Text.settled <= desk.now - settings.report_s)
    for text in session.scalars(unreported.order_by(Text.id).limit(MAX_STEP)).all():
        move(desk, text, S.UNREPORTED, why=f"no report within {settings.report_s:g} s")


def _next(desk: Desk, *, up: bool) -> float | None:
    settings = desk.settings.texts
    waiting = Text.state == S.WAITING
    times = [
        desk.session.scalar(select(func.min(Text.due)).where(waiting)) if up else None,
        desk.session.scalar(select(func.min(Text.expires)).where(waiting)),
    ]
    late = desk.session.scalar(select(func.min(Text.planned)).where(waiting, Text.late.is_(False)))
    sent = desk.session.scalar(select(func.min(Text.settled)).where(Text.state == S.SENT))
    times.append(None if late is None else late + settings.confirm_s)
    times.append(None if sent is None else sent + settings.report_s)
    return min((each for each in times if each is not None), default=None)


# What became of one that was with the gateway


def sent(desk: Desk, id_: int, reference: str) -> None:
    """The network took it."""
    text = desk.session.get_one(Text, id_)
    text.reference = reference
    move(desk, text, S.SENT)


def not_sent(desk: Desk, id_: int, why: str, *, counts: bool) -> None:
    """It has certainly not gone: it is tried again, unless that ``counts`` and was tried often enough."""
    settings = desk.settings.texts
    text = desk.session.get_one(Text, id_)
    if not counts:
        text.attempts -= 1
    elif text.attempts >= settings.attempts:
        move(desk, text, S.FAILED, why=f"refused {text.attempts} times: {why}")
        return
    else:
        text.due = desk.now + settings.retry_s * 2 ** (text.attempts - 1)
    appointment = None if text.appointment is None else desk.session.get_one(Appointment, text.appointment)
    move(desk, text, S.WAITING, why=why)
    if appointment is not None and _overtaken(text, appointment):
        move(desk, text, S.WITHDRAWN, why="cancelled or moved meanwhile")
    elif text.kind != "stopped" and is_stopped(desk, text.telephone):
        move(desk, text, S.WITHDRAWN, why="the number wants no texts")


def _overtaken(text: Text, appointment: Appointment) -> bool:
    """Whether what a text tells of is no longer so."""
    if text.kind in ("cancelled", "change"):
        return False
    return not appointment.live or not text.key.startswith(f"{appointment.id}:{appointment.moved}:")


def settle(desk: Desk, id_: int, state: TextState, why: str) -> None:
    """It FAILED, or is UNCERTAIN."""
    move(desk, desk.session.get_one(Text, id_), state, why=why)


def reported(desk: Desk, session: int, reference: str, telephone: str, *, delivered: bool, state: str) -> None:
    """A delivery report came. One whose reference is of an earlier start is of the one text that it can be of."""
    text = None
    if reference:
        text = desk.session.scalar(select(Text).where(Text.session == session, Text.reference == reference))
    if text is None:
        before = select(Text).where(Text.telephone == telephone, Text.state.in_((S.SENT, S.UNCERTAIN, S.UNREPORTED)))
        those = desk.session.scalars(before.where((Text.session < session) | Text.reference.is_(None)).limit(2)).all()
        text = those[0] if len(those) == 1 else None
    to = S.DELIVERED if delivered else S.FAILED
    if text is None or to not in MOVES[TextState(text.state)]:
        desk.tell("text.report_unknown", to=telephone, state=state)
        return
    move(desk, text, to, why="" if delivered else f"reported {state}")
