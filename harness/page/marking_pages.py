"""Pages on which THRIVE is marked by two markers, and on which their agreement stands."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response, status
from fastapi.responses import RedirectResponse

from harness.errors import PageError
from harness.page.access import form_of, require
from harness.page.contract import Role
from harness.page.marking import Marking, due_agreement
from harness.page.rendering import render

MARK: Final[tuple[Role, ...]] = ("champion", "governance")
"""Who marks."""


def add_marking(app: FastAPI) -> None:
    """Add the pages; champions and governance have them."""
    marking = Marking(app.state.store)

    @app.get("/marking")
    async def listed(request: Request) -> Response:
        person = await require(request, *MARK)
        shown = {
            "attempts": await marking.listed(person),
            "agreements": await marking.agreements(),
            "due": due_agreement(),
        }
        return render(request, person, "marking.html", shown)

    @app.get("/marking/{number}")
    async def asked(request: Request, number: int) -> Response:
        person = await require(request, *MARK)
        return render(request, person, "mark.html", {"each": await marking.one(person, number), "error": ""})

    @app.post("/marking/{number}")
    async def marked(request: Request, number: int) -> Response:
        person = await require(request, *MARK)
        form = await form_of(request)
        there = await marking.one(person, number)
        said = {factor: form.get(factor) for factor in there.factors}
        factors = {factor: said[factor] == "yes" for factor in there.factors if said[factor] in ("yes", "no")}
        try:
            await marking.mark(person, number, factors)
        except PageError as error:
            shown = {"each": await marking.one(person, number), "error": str(error)}
            return render(request, person, "mark.html", shown, status.HTTP_409_CONFLICT)
        return RedirectResponse("/marking", status.HTTP_303_SEE_OTHER)
