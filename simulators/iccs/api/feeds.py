"""Routes of the control interface: the feeds to workforce management."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from simulators.iccs.api.places import Shown
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.feeds.feeds import MAX_PAGE
from simulators.routes import Routes

After = Annotated[str | None, Query(max_length=64, description="The cursor (`next`) of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
_REFUSED: dict[int | str, dict[str, Any]] = {
    410: {"description": "Rows after this cursor are kept no more, or it is another run's."}
}


class IntervalBody(BaseModel):
    """A closed interval."""

    model_config = ConfigDict(extra="forbid")

    interval_start: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z$")


def feed_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1/workforce", tags=["workforce"], responses=_REFUSED)

    @router.get("/states")
    async def read_states(after: After = None, limit: Limit = 1000) -> Shown:
        """Advisers' states as they changed, oldest first; `until`: until when all is told once no `more` follow."""
        return desk.feeds.states(after, limit).shown()

    @router.get("/intervals")
    async def read_intervals(after: After = None, limit: Limit = 1000) -> Shown:
        """What each queue saw in each quarter of an hour that is over, oldest first."""
        return desk.feeds.intervals(after, limit).shown()

    @router.post("/files")
    async def write_files(body: IntervalBody) -> Shown:
        """Write the two files of a closed interval again; the bytes are the same."""
        return {"files": desk.write_feeds(body.interval_start)}

    return router
