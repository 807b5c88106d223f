"""What a path of the control interface names."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from simulators.iccs.desk import OperatorDesk
from simulators.iccs.positions import Position, PositionError

Shown = dict[str, Any]
"""A JSON object."""


async def _position(request: Request, id_: str) -> Position:
    desk: OperatorDesk = request.app.state.desk
    position = desk.positions.get(id_)
    acts = request.method != "GET" and not request.url.path.endswith(("/login", "/logout"))
    if acts and position.console_lost:
        raise PositionError(f"nobody is logged in at {id_}: its console lost the core node")
    return position


At = Annotated[Position, Depends(_position)]
"""The position that a path names; 404 where there is none, 409 for an act where its console is to log in again."""
