"""What the console driver's requests of the control interface are as acts, for drivers that have no such interface."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_ROUTES: Final = (
    (
        re.compile(r"^(?:positions/[^/]+/)?emergencies/(?P<emergency>[^/]+)/acknowledge$"),
        "POST",
        "acknowledge_emergency",
    ),
    (re.compile(r"^(?:positions/[^/]+/)?emergencies/(?P<emergency>[^/]+)/clear$"), "POST", "clear_emergency"),
    (re.compile(r"^positions/[^/]+/incidents$"), "POST", "open_incident"),
    (re.compile(r"^positions/[^/]+/incidents/(?P<incident>[^/]+)/hand-over$"), "POST", "hand_over"),
    (re.compile(r"^positions/[^/]+/incidents/(?P<incident>[^/]+)/close$"), "POST", "close_incident"),
    (re.compile(r"^positions/[^/]+/patches$"), "POST", "patch"),
    (re.compile(r"^positions/[^/]+/patches/(?P<patch>[^/]+)$"), "DELETE", "unpatch"),
    (re.compile(r"^positions/[^/]+/(?P<last>[a-z-]+)$"), "POST", None),
)
"""The control interface's requests, by which the console driver says what it wants, and the mapping's acts."""


def act_of(method: str, path: str, body: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return an act's name and what goes with it; None for a request that is no operator's act at a position."""
    for route, its_method, name in _ROUTES:
        found = route.match(path)
        if found is None or method != its_method:
            continue
        named = found.groupdict()
        last = named.pop("last", None)
        if last == "select" and body.get("selected") is False:
            last = "unselect"
        return name or str(last).replace("-", "_"), {**body, **named}
    return None, dict(body)
