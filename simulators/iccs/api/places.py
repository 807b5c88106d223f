"""What a path of the control interface names."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from simulators.iccs.desk import OperatorDesk
from simulators.iccs.positions import Position

Shown = dict[str, Any]
"""A JSON object."""


async def _position(request: Request, id_: str) -> Position:
    desk: OperatorDesk = request.app.state.desk
    return desk.positions.get(id_)


At = Annotated[Position, Depends(_position)]
"""The position that a path names; 404 where there is none."""
