"""What a service centre's caller does at the trunk, and what advisers do at the CRM."""

from __future__ import annotations

from pydantic import Field

from harness.endpoints.crm import Person, RecordTold
from harness.endpoints.crm.shapes import TaskTold
from harness.errors import DriverError
from harness.scenario.cast import Part
from harness.scenario.verbs.base import Arguments, refused, verb
from harness.scenario.verbs.thrive import AssessRecord, Graded, GradeRefused, OfRecord


class TrunkDial(Arguments):
    """Whom to call."""

    number: str = Field(default="101", pattern=r"^[0-9]{2,15}$")


class Contact(Arguments):
    """A contact that was made by telephone."""

    name: str = Field(min_length=1, max_length=200)
    telephone: str = Field(pattern=r"^\+[0-9]{6,15}$")
    text: str = Field(min_length=1, max_length=20_000)
    received: str = Field(min_length=1, max_length=40)
    """ISO 8601 with its offset from UTC."""
    flags: tuple[str, ...] = Field(default=(), max_length=32)
    key: str = Field(min_length=1, max_length=80)
    """One key, one record: told again it makes no second."""


class GradeRecord(Graded, OfRecord):
    """A record's grade, and why it is another than before."""


class RefusedRecordGrade(GradeRefused, OfRecord):
    """A grade without a rationale of its own, and why a record may not have it."""


class Referral(OfRecord):
    """To whom a record is given."""

    to: str = Field(min_length=1, max_length=80)
    """The partner."""
    rationale: str = Field(min_length=1, max_length=2_000)
    task: str = Field(min_length=1, max_length=2_000)
    """What the partner is asked to do."""


class Looks(Arguments):
    """Whose look at contacts the audit has to hold."""

    contacts: tuple[str, ...] = Field(min_length=1, max_length=50)
    by: str
    reason: str


@verb("trunk_caller", arguments=TrunkDial, short="number")
async def dial(part: Part, args: TrunkDial) -> str:
    """Dials a number, 101 where none is told, showing the actor's own."""
    call = await part.driver.dial(args.number, cli=getattr(part.actor, "number", None))
    part.dials(call)
    return str(call.id)


@verb("crm", arguments=Contact)
async def record(part: Part, args: Contact) -> str:
    """Makes a record of a contact by telephone; 'as' keeps its id."""
    person = Person(args.name, args.telephone)
    told = RecordTold("phone", args.received, person, args.text, args.flags)
    return str((await part.driver.add_record(told, key=args.key)).id)


@verb("crm", arguments=AssessRecord)
async def assess(part: Part, args: OfRecord) -> None:
    """Assesses a record by THRIVE: six factors and a rationale."""
    await part.driver.assess(args.record, args.model_dump(exclude={"record", "by"}), by=args.by)


@verb("crm", arguments=GradeRecord)
async def grade(part: Part, args: GradeRecord) -> None:
    """Grades a record: Immediate, Prompt, Standard or Other."""
    await part.driver.grade(args.record, args.grade, by=args.by, rationale=args.rationale)


@verb("crm", arguments=RefusedRecordGrade)
async def is_refused_grade(part: Part, args: RefusedRecordGrade) -> None:
    """Asks for a grade that has to be refused, with these words in the reason."""
    act = part.driver.grade(args.record, args.grade, by=args.by)
    await refused(act, args.because, instead=f"{args.record} was graded {args.grade}")


@verb("crm", arguments=Referral)
async def refer(part: Part, args: Referral) -> str:
    """Gives a record to a partner, and makes the partner's task; 'as' keeps the task's id."""
    await part.driver.transfer(args.record, args.to, by=args.by, rationale=args.rationale)
    task = TaskTold("referral", args.record, args.task)
    return str(await part.driver.add_task(task, key=f"referral-{args.record}"))


@verb("crm", arguments=Looks)
async def has_look(part: Part, args: Looks) -> None:
    """Looks whether the access audit is whole and holds who looked at each of these contacts, and why."""
    for contact in args.contacts:
        looks = [
            (each["user"], each["reason"])
            for each in await part.driver.service.audit(contact=contact)
            if each["action"] == "contacts.found"
        ]
        if (args.by, args.reason) not in looks:
            raise DriverError(f"the audit of {contact} has the looks {looks}; due: by {args.by} for {args.reason}")
    checked = await part.driver.service.verify_audit()
    if not checked["intact"]:
        raise DriverError(f"the access audit is not whole: entry {checked['first_wrong']}: {checked['why']}")
