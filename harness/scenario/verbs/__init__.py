"""What actors can do: role to verbs, each with what goes with it and what it does in one line."""

from __future__ import annotations

from harness.scenario.verbs import (
    appointments,
    callers,
    console,
    incidents,
    queues,
    radio,
    service_centre,
    speaking,
    systems,
    telephones,
    webex,
)
from harness.scenario.verbs.base import VERBS, Arguments, Seen, Verb

__all__ = [
    "VERBS",
    "Arguments",
    "Seen",
    "Verb",
    "appointments",
    "callers",
    "console",
    "incidents",
    "queues",
    "radio",
    "service_centre",
    "speaking",
    "systems",
    "telephones",
    "webex",
]
