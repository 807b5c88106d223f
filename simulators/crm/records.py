"""Records in the store: one for each contact made, with what was noted, assessed and decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, desc, func, select
from sqlalchemy.orm import Session

from harness.endpoints.crm import ThriveAssessment
from harness.protocols.times import to_iso
from simulators import thrive
from simulators.crm import contacts, told
from simulators.crm.bodies import PersonBody, RecordBody
from simulators.crm.errors import RefusedError
from simulators.crm.ids import number_of, shown, unknown
from simulators.crm.tables import Assessment, Contact, Decision, Note, Record
from simulators.thrive import Grade

MAX_NOTES: Final = 500
"""Notes of one record; as many assessments and decisions."""
DUE_AT_ONCE: Final = 100

MatchedBy = Literal["telephone", "email", "made"]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a record that was told."""

    record: Record
    created: bool
    matched_by: MatchedBy


def make(session: Session, at: float, body: RecordBody, key: str) -> Made:
    """Make a record, and a contact where none is found by telephone or mail. Raises RefusedError."""
    number = told.before(session, "record", key, body)
    if number is not None:
        return Made(session.get_one(Record, number), False, "made")
    contact, matched_by = _whose(session, at, body.person)
    record = Record(
        contact=contact.number,
        channel=body.channel,
        received=body.received.timestamp(),
        made_at=at,
        person=body.person.model_dump(exclude_none=True),
        text=body.text,
        flags=list(dict.fromkeys(body.flags)),
        reference=body.reference,
        attachments=[each.model_dump() for each in body.attachments],
        failure_note="",
    )
    session.add(record)
    session.flush()
    told.keep(session, "record", key, body, record.number)
    return Made(record, True, matched_by)


def _whose(session: Session, at: float, person: PersonBody) -> tuple[Contact, MatchedBy]:
    telephone = contacts.telephone_key(person.telephone) if person.telephone else None
    email = contacts.email_key(person.email) if person.email else None
    if telephone is not None:
        found = _best(session, Contact.telephone == telephone, person)
        if found is not None:
            return found, "telephone"
    if email is not None:
        found = _best(session, Contact.email == email, person)
        if found is not None:
            return found, "email"
    name = " ".join((person.name or "").split())
    address = " ".join((person.address or "").split())[:200]
    return contacts.made(session, at, name=name, telephone=telephone, email=email, address=address), "made"


def _best(session: Session, who: ColumnElement[bool], person: PersonBody) -> Contact | None:
    """Of those who share a telephone or mailbox: who has the name that was told, else who was known first."""
    query = select(Contact).where(who).order_by(Contact.number).limit(1)
    found = None
    if person.name:
        found = session.scalars(query.where(Contact.name_key == contacts.name_key(person.name))).first()
    found = found or session.scalars(query).first()
    return None if found is None else contacts.survivor(session, found)


def get(session: Session, id_: str) -> Record:
    """One record. Raises UnknownError."""
    found = session.get(Record, number_of(id_))
    if found is None:
        raise unknown(id_)
    return found


def note(session: Session, at: float, record: Record, by: str, text: str) -> None:
    """Add a line. Raises RefusedError where it has MAX_NOTES."""
    _room(session, record, Note.record, "notes")
    session.add(Note(record=record.number, at=at, by=by, text=text))
    session.flush()


def assess(session: Session, at: float, record: Record, by: str, told_: ThriveAssessment) -> None:
    """Add an assessment. Raises RefusedError where it has MAX_NOTES."""
    _room(session, record, Assessment.record, "assessments")
    parts = {part: getattr(told_, part) for part in thrive.PARTS}
    session.add(Assessment(record=record.number, at=at, by=by, **parts))
    session.flush()


def grade(
    session: Session, at: float, record: Record, now: Grade, *, by: str, rationale: str, review_s: float
) -> str | None:
    """Give it a grade; return ``graded``, ``regraded``, or None where it had it. Raises RefusedError, UnfitError."""
    assessment = _assessment(session, record)
    was = None if record.grade is None else Grade(record.grade)
    done = thrive.grading(_id(record), was, now, assessed=assessment is not None, rationale=rationale)
    if done is None or assessment is None:
        return None
    _decide(session, at, record, assessment, by=by, kind=done, was=record.grade, now=now, rationale=rationale)
    record.grade, record.graded_at = now, at
    record.review_due = None if record.attended_at is not None else thrive.reviewed_at(now, at, review_s)
    return done


def transfer(session: Session, at: float, record: Record, to: str, *, by: str, rationale: str) -> None:
    """Give it to somebody else. Raises RefusedError, UnfitError."""
    assessment = _assessment(session, record)
    thrive.transferring(_id(record), record.owner, to, assessed=assessment is not None, rationale=rationale)
    assert assessment is not None, "the rules refuse it without"
    _decide(session, at, record, assessment, by=by, kind="transferred", was=record.owner, now=to, rationale=rationale)
    record.owner = to


def attend(session: Session, at: float, record: Record) -> bool:
    """Note that somebody attends; False where somebody did before."""
    if record.attended_at is not None:
        return False
    record.attended_at, record.review_due = at, None
    return True


def due_for_review(session: Session, at: float) -> tuple[Sequence[Record], float | None]:
    """Records that a supervisor is to look at by now, at most DUE_AT_ONCE, and when the next one is due."""
    due = session.scalars(
        select(Record).where(Record.review_due <= at).order_by(Record.review_due, Record.number).limit(DUE_AT_ONCE)
    ).all()
    return due, session.scalar(select(func.min(Record.review_due)).where(Record.review_due > at))


def _assessment(session: Session, record: Record) -> Assessment | None:
    query = select(Assessment).where(Assessment.record == record.number).order_by(desc(Assessment.number)).limit(1)
    return session.scalars(query).first()


def _decide(
    session: Session,
    at: float,
    record: Record,
    assessment: Assessment,
    *,
    by: str,
    kind: str,
    was: str | None,
    now: str,
    rationale: str,
) -> None:
    _room(session, record, Decision.record, "decisions")
    session.add(
        Decision(
            record=record.number,
            at=at,
            by=by,
            kind=kind,
            was=was,
            now=str(now),
            rationale=rationale if rationale.strip() else assessment.rationale,
            assessment=assessment.number,
        )
    )
    session.flush()


def _room(session: Session, record: Record, of: Any, what: str) -> None:
    if (session.scalar(select(func.count()).where(of == record.number)) or 0) >= MAX_NOTES:
        raise RefusedError(f"{_id(record)} has {MAX_NOTES} {what}, and no more are kept")


def _id(record: Record) -> str:
    return shown("R", record.number)


def shown_record(session: Session, record: Record) -> dict[str, Any]:
    """A record with all that was noted, assessed and decided, oldest first."""
    number = record.number
    notes = session.scalars(select(Note).where(Note.record == number).order_by(Note.number)).all()
    assessments = session.scalars(
        select(Assessment).where(Assessment.record == number).order_by(Assessment.number)
    ).all()
    decisions = session.scalars(select(Decision).where(Decision.record == number).order_by(Decision.number)).all()
    contact = contacts.survivor(session, session.get_one(Contact, record.contact))
    return {
        **contacts.line(record),
        "contact": shown("C", contact.number),
        "person": record.person,
        "text": record.text,
        "reference": record.reference,
        "attachments": record.attachments,
        "failure_note": record.failure_note,
        "graded_at": _time(record.graded_at),
        "attended_at": _time(record.attended_at),
        "review_due": _time(record.review_due),
        "notes": [{"at": to_iso(each.at), "by": each.by, "text": each.text} for each in notes],
        "thrive": [
            {part: getattr(each, part) for part in thrive.PARTS} | {"at": to_iso(each.at), "by": each.by}
            for each in assessments
        ],
        "decisions": [
            {
                "at": to_iso(each.at),
                "by": each.by,
                "kind": each.kind,
                "was": each.was,
                "now": each.now,
                "rationale": each.rationale,
            }
            for each in decisions
        ],
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else to_iso(seconds)
