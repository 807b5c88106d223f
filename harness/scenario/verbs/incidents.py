"""What an operator does with incidents at a console: opened, assessed by THRIVE, graded, handed over, closed."""

from __future__ import annotations

from pydantic import Field

from harness.scenario.cast import Part
from harness.scenario.verbs.base import Arguments, Seen, refused, verb
from harness.scenario.verbs.thrive import AssessIncident, Graded, GradeRefused, OfIncident


class Title(Arguments):
    """An incident's title."""

    title: str = Field(min_length=1, max_length=200)


class Note(OfIncident):
    """A line of an incident's log."""

    text: str = Field(min_length=1, max_length=2_000)


class GradeIncident(Graded, OfIncident):
    """An incident's grade, and why it is another than before."""


class RefusedIncidentGrade(GradeRefused, OfIncident):
    """A grade without a rationale of its own, and why an incident may not have it."""


class HandOver(OfIncident):
    """An incident, and who gets it."""

    to: str = Field(min_length=1, max_length=80)


class NoIncident(Arguments):
    """Why a call needs none."""

    reason: str = Field(min_length=1, max_length=500)
    record: str | None = None


class Unit(OfIncident):
    """A unit, and an incident."""

    unit: str | int
    """An ISSI, or an actor with a radio."""


@verb("console", arguments=Title, short="title", seen=Seen("incident.opened", "incident", early=True))
async def open_incident(part: Part, args: Title) -> str:
    """Opens an incident, from the call where there is one; 'as' keeps its name."""
    return str(await part.driver.open_incident(args.title))


@verb("console", arguments=Note)
async def note_incident(part: Part, args: Note) -> None:
    """Writes a line into an incident's log."""
    await part.driver.note_incident(args.incident, args.text)


@verb("console", arguments=AssessIncident, seen=Seen("incident.assessed", same=("incident",), early=True))
async def assess_incident(part: Part, args: OfIncident) -> None:
    """Records what is known of THRIVE; all six factors and the rationale are needed before an incident is graded."""
    await part.driver.assess_incident(**{key: value for key, value in args.model_dump().items() if value})


@verb("console", arguments=GradeIncident, seen=Seen("incident.graded", same=("incident", "grade"), early=True))
async def grade_incident(part: Part, args: GradeIncident) -> None:
    """Grades an incident: Immediate, Prompt, Standard or Other; another grade than before needs a rationale."""
    await part.driver.grade_incident(args.incident, args.grade, rationale=args.rationale)


@verb("console", arguments=RefusedIncidentGrade)
async def is_refused_grade(part: Part, args: RefusedIncidentGrade) -> None:
    """Asks for a grade that has to be refused, with these words in the reason."""
    act = part.driver.grade_incident(args.incident, args.grade)
    await refused(act, args.because, instead=f"{args.incident} was graded {args.grade}")


@verb("console", arguments=HandOver, seen=Seen("incident.handed_over", same=("incident", "to"), early=True))
async def hand_over(part: Part, args: HandOver) -> None:
    """Gives an incident to another position."""
    await part.driver.hand_over(args.incident, part.cast.position(args.to))


@verb("console", arguments=OfIncident, short="incident", seen=Seen("incident.closed", same=("incident",), early=True))
async def close_incident(part: Part, args: OfIncident) -> None:
    """Closes an incident."""
    await part.driver.close_incident(args.incident)


@verb("console", arguments=NoIncident, short="reason")
async def needs_no_incident(part: Part, args: NoIncident) -> None:
    """Says why the latest call, or that of a record, needs no incident."""
    await part.driver.needs_no_incident(args.reason, record=args.record)


@verb("console", arguments=Unit, seen=Seen("unit.assigned", same=("incident:incident_id",), early=True))
async def assign_unit(part: Part, args: Unit) -> None:
    """Assigns a unit to an incident."""
    await part.driver.assign_unit(part.cast.issi(args.unit), args.incident)
