"""The skill record as a page, and as CSV."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from sqlalchemy.orm import Session

from harness.evidence.machine_formats import cell
from harness.page.access import require
from harness.page.contract import Person
from harness.page.drills import OPERATORS
from harness.page.rendering import day_of, render
from harness.page.skills import (
    Played,
    Skill,
    accounts,
    attempts_of,
    short_of_walkers,
    skills,
    standing,
    uncertified,
    uncovered,
)
from harness.page.tables import PersonRow

HEADINGS = ("name", "team", "site", "scenario", "state", "passed_at", "lapses_at", "index", "refresher", "build")


def add_skills(app: FastAPI) -> None:
    """Add the pages: a trainee sees their own record, the others everybody's."""

    async def record(person: Person) -> tuple[list[PersonRow], list[Skill], list[Played]]:
        def read(session: Session) -> tuple[list[PersonRow], list[Skill], list[Played]]:
            own = person.id if person.role == "trainee" else None
            there = [row for row in accounts(session) if own in (None, row.id)]
            known = {row.id for row in there}
            made = attempts_of(session, own)
            return there, [each for each in skills(made, time.time()) if each.person in known], made

        found: tuple[list[PersonRow], list[Skill], list[Played]] = await app.state.store.run(read)
        return found

    @app.get("/skills")
    async def shown(request: Request, site: str = "", scenario: str = "", go_live: str = "") -> Response:
        person = await require(request)
        there, held, made = await record(person)
        names = {row.id: row for row in there}
        wanted = [
            (names[each.person], each)
            for each in held
            if (not site or names[each.person].site == site) and (not scenario or each.scenario == scenario)
        ]
        day = day_of(go_live)
        operators = [row.id for row in there if row.role in OPERATORS]
        context: dict[str, Any] = {
            "wanted": wanted,
            "standing": standing({row.id: row.site for row in there}, held) if person.role != "trainee" else [],
            "uncovered": uncovered((row.role, row.team, row.shift) for row in there)
            if person.role != "trainee"
            else [],
            "short": short_of_walkers((row.role, row.site) for row in there) if person.role != "trainee" else [],
            "sites": sorted({row.site for row in there if row.site}),
            "scenarios": sorted({each.scenario for each in held}),
            "go_live": go_live,
            "uncertified": [names[each].name for each in uncertified(operators, made, day)]
            if day is not None
            else None,
            "site": site,
            "scenario": scenario,
        }
        return render(request, person, "skills.html", context)

    @app.get("/skills.csv")
    async def exported(request: Request) -> Response:
        there, held, _ = await record(await require(request))
        names = {row.id: row for row in there}
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(HEADINGS)
        for each in held:
            row = names[each.person]
            index = "" if each.index is None else f"{each.index:.1f}"
            refresher = "assigned" if each.dropped else ""
            times = (_iso(each.passed_at), _iso(each.lapses_at))
            cells = (row.name, row.team, row.site, each.scenario, each.state, *times, index, refresher, each.build)
            writer.writerow([cell(value) for value in cells])
        headers = {"Content-Disposition": "attachment; filename=skills.csv", "Cache-Control": "no-store"}
        return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _iso(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
