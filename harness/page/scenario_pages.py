"""The list of scenarios, and a scenario's brief, aide-memoire and seats."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.page.access import require
from harness.page.contract import Person
from harness.page.library import Library, seats
from harness.page.rendering import render
from harness.page.skills import Skill, attempts_of, skills
from harness.page.tables import AssignmentRow, CopyRow
from harness.scenario.model import DEFAULT_PERSON_S, Scenario, told_acts

THRIVE: Final = {
    "Threat": "What may happen, to whom, how soon?",
    "Harm": "What has happened already, and how bad is it?",
    "Risk": "How likely is more harm?",
    "Investigation": "What has to be kept, and who saw it?",
    "Vulnerability": "Who there can't look after themselves?",
    "Engagement": "What does the caller need, and what were they told?",
}
"""The six factors, and what is asked for each."""
MAX_LISTED: Final = 200
"""Copies and assignments that are listed."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a seat's holder does at one step."""

    told: str
    within_s: float
    hint: str


def prompts(scenario: Scenario, seat: str) -> list[Prompt]:
    """What a person in ``seat`` will do, in order, and in what time."""
    return [
        Prompt(
            told_acts(step.acts[seat]), step.within if step.within is not None else DEFAULT_PERSON_S, step.hint or ""
        )
        for step in scenario.timeline
        if seat in step.acts
    ]


def add_scenarios(app: FastAPI) -> None:
    """Add the pages."""
    library: Library = app.state.library

    @app.get("/")
    async def listed(request: Request) -> Response:
        person = await require(request)
        copies, assigned, mine = await app.state.store.run(lambda session: _of(session, person))
        return render(
            request,
            person,
            "scenarios.html",
            {
                "scenarios": [(each.scenario, seats(each.scenario)) for each in library.entries.values()],
                "broken": library.broken if person.role in {"champion", "engineer"} else [],
                "copies": copies,
                "assigned": assigned,
                "lapsed": [skill for skill in mine if skill.state in {"lapsed", "due"}],
                "refreshers": [skill for skill in mine if skill.dropped],
            },
        )

    @app.get("/scenarios/{id_}")
    async def brief(request: Request, id_: str) -> Response:
        person = await require(request)
        scenario = await library.scenario(id_)
        held = {seat: prompts(scenario, seat) for seat in seats(scenario)}
        return render(request, person, "scenario.html", {"scenario": scenario, "seats": held, "thrive": THRIVE})


def _of(session: Session, person: Person) -> tuple[list[str], list[str], list[Skill]]:
    """The copies that can be played, what the person's team is to play, and their skills."""
    copies = session.scalars(
        select(CopyRow.name).where(CopyRow.text.is_not(None)).order_by(CopyRow.name).limit(MAX_LISTED)
    )
    wanted = select(AssignmentRow.scenario).where(AssignmentRow.team == person.team, AssignmentRow.team != "")
    assigned = session.scalars(wanted.order_by(AssignmentRow.at.desc()).limit(MAX_LISTED))
    return list(copies), list(dict.fromkeys(assigned)), skills(attempts_of(session, person.id), time.time())
