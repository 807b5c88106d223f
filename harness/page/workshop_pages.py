"""The workshop's pages: copy a scenario, edit it, and give it to a team."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response, status
from fastapi.responses import RedirectResponse

from harness.errors import PageError
from harness.page.access import form_of, require, text
from harness.page.contract import Person, Role
from harness.page.rendering import render
from harness.page.workshop import Complaint, Draft, StaleError, Workshop

MAX_TEXT: Final = 2 * 1024 * 1024
"""Characters of a text that is looked at; one that is too long to be kept is shown again all the same."""
EDITORS: Final[tuple[Role, ...]] = ("champion", "engineer")


def add_workshop(app: FastAPI) -> None:
    """Add the pages; champions and engineers have them."""
    workshop = Workshop(app.state.store, app.state.library)

    def editor(
        request: Request,
        person: Person | None,
        draft: Draft,
        wrong: list[Complaint],
        teams: list[str],
        *,
        error: str = "",
        done: str = "",
        code: int = status.HTTP_200_OK,
    ) -> Response:
        shown = {"draft": draft, "wrong": wrong, "teams": teams, "error": error, "done": done}
        return render(request, person, "edit.html", shown, code)

    @app.get("/workshop")
    async def listed(request: Request) -> Response:
        person = await require(request, *EDITORS)
        return render(request, person, "workshop.html", {"drafts": await workshop.all()})

    @app.get("/workshop/new")
    async def asked(request: Request, source: str = "") -> Response:
        person = await require(request, *EDITORS)
        return render(request, person, "copy.html", {"source": source[:60], "name": "", "error": ""})

    @app.post("/workshop")
    async def copied(request: Request) -> Response:
        person = await require(request, *EDITORS)
        form = await form_of(request)
        source, name = text(form, "source", 60), text(form, "name", 200).strip()
        try:
            await workshop.copy(person, source, name)
        except PageError as error:
            shown = {"source": source, "name": name, "error": str(error)}
            return render(request, person, "copy.html", shown, status.HTTP_409_CONFLICT)
        return RedirectResponse(f"/workshop/{name}", status.HTTP_303_SEE_OTHER)

    @app.get("/workshop/{name}")
    async def opened(request: Request, name: str) -> Response:
        person = await require(request, *EDITORS)
        draft = await workshop.get(name)
        wrong = await workshop.complaints(draft.name, draft.text)
        return editor(request, person, draft, wrong, await workshop.teams())

    @app.post("/workshop/{name}")
    async def saved(request: Request, name: str) -> Response:
        form = await form_of(request)
        version = text(form, "version", 9)
        person: Person | None = None
        sent = text(form, "text", MAX_TEXT).replace("\r\n", "\n")  # as HTML has forms send line ends
        try:
            person = await require(request, *EDITORS)
            wrong = await workshop.save(name, sent, int(version) if version.isdecimal() else -1)
            done = "Saved as a draft: what is played stays as it was." if wrong else "Saved: this is played now."
            return editor(request, person, await workshop.get(name), wrong, await workshop.teams(), done=done)
        except StaleError as error:
            kept = await workshop.get(name)
            again = Draft(name, kept.source, sent, kept.version, kept.changed_at, kept.playable)
            return editor(request, person, again, [], [], error=str(error), code=status.HTTP_409_CONFLICT)
        except PageError as error:
            # The store may be gone: what was written is shown again from what was sent.
            again = Draft(name, "", sent, int(version) if version.isdecimal() else -1, 0.0, False)
            told = f"Not saved: {error}. Your text is below."
            return editor(request, person, again, [], [], error=told, code=status.HTTP_409_CONFLICT)

    @app.post("/workshop/{name}/assign")
    async def assigned(request: Request, name: str) -> Response:
        person = await require(request, *EDITORS)
        form = await form_of(request)
        team = text(form, "team", 80)
        await workshop.assign(person, name, team)
        draft = await workshop.get(name)
        wrong = await workshop.complaints(draft.name, draft.text)
        return editor(request, person, draft, wrong, await workshop.teams(), done=f"Assigned to {team}.")
