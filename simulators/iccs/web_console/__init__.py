"""The ICCS simulator's console as a web page, for drivers that see and press what an operator does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi.responses import FileResponse

from simulators.iccs.api.places import At
from simulators.routes import Routes

_PAGES: Final = Path(__file__).parent
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "media-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
}


def web_console_routes() -> Routes:
    """Return the routes. The page works through the control interface, as any console does."""
    router = Routes(prefix="/console", include_in_schema=False)

    for name, kind in (("console.js", "text/javascript"), ("console.css", "text/css")):
        router.add_api_route(f"/static/{name}", _file(name, kind))

    @router.get("/{id_}")
    async def console(_at: At) -> FileResponse:
        """The console of a position. 404 where there is none."""
        return await _file("console.html", "text/html")()

    return router


def _file(name: str, kind: str) -> Callable[[], Awaitable[FileResponse]]:
    async def answer() -> FileResponse:
        return FileResponse(_PAGES / name, media_type=kind, headers=_POLICY)

    return answer
