"""What a position's console shows by its role: the panels of its screen, from the most important on."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from simulators.iccs.settings.base import Role
from simulators.settings import Strict

Panel = Literal[
    "queues", "call", "caller", "incident", "talkgroups", "units", "map", "emergencies", "phone_book", "wallboard",
    "alarms", "oversight",
]  # fmt: skip


class LayoutSettings(Strict):
    """One role's screen."""

    panels: Annotated[tuple[Panel, ...], Field(min_length=1, max_length=32)]


Layouts = dict[Role, LayoutSettings]

ROLE_LAYOUTS: Final[Layouts] = {
    "call_taker": LayoutSettings(panels=("queues", "call", "caller", "incident", "phone_book")),
    "dispatcher": LayoutSettings(
        panels=("emergencies", "talkgroups", "units", "map", "incident", "call", "phone_book")
    ),
    "supervisor": LayoutSettings(
        panels=("alarms", "wallboard", "emergencies", "queues", "oversight", "map", "call", "phone_book")
    ),
}
"""Where the settings have none for a role. [p]"""
