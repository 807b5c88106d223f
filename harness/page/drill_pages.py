"""The page of fallback drills: how each team stands, what was held, and a form for another."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response, status
from fastapi.responses import RedirectResponse

from harness.errors import PageError
from harness.page.access import form_of, require, text
from harness.page.contract import Person, Role
from harness.page.drills import FALLBACKS, MAX_NOTE, Drills, period_s
from harness.page.rendering import day_of, render

READ: Final[tuple[Role, ...]] = ("champion", "engineer", "governance")
"""Who sees the drills."""
RECORD: Final[tuple[Role, ...]] = ("champion", "engineer")
"""Who records one."""


def add_drills(app: FastAPI) -> None:
    """Add the page; all but trainees see it, champions and engineers record drills."""
    drills = Drills(app.state.store)

    async def page(request: Request, person: Person, error: str = "", code: int = status.HTTP_200_OK) -> Response:
        teams, held = await drills.all()
        shown = {
            "teams": teams,
            "drills": held,
            "fallbacks": FALLBACKS,
            "days": round(period_s() / 86_400),
            "max_note": MAX_NOTE,
            "may_record": person.role in RECORD,
            "error": error,
        }
        return render(request, person, "drills.html", shown, code)

    @app.get("/drills")
    async def listed(request: Request) -> Response:
        return await page(request, await require(request, *READ))

    @app.post("/drills")
    async def recorded(request: Request) -> Response:
        person = await require(request, *RECORD)
        form = await form_of(request)
        try:
            day = day_of(text(form, "day", 20))
            if day is None:
                raise PageError("the day on which it was is needed")
            await drills.keep(
                person,
                text(form, "team", 80),
                day,
                text(form, "fallback", 16),
                text(form, "note", MAX_NOTE).strip(),
                passed=form.get("passed") == "yes",
            )
        except PageError as error:
            return await page(request, person, str(error), status.HTTP_409_CONFLICT)
        return RedirectResponse("/drills", status.HTTP_303_SEE_OTHER)
