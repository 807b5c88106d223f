"""Makes a scenario of a run's journal: the same acts by the same actors, with the same spacing.

Theory. Drivers journal what they do at the moment they do it. Each such event becomes a step `at` its time since the
first act; acts within TOGETHER_S of each other by different actors become one step, in which they act together. What a
run named itself (an incident) is named by the step that made it. Of speech the journal of a scenario names the clip; of
any other there is no word in it, and keys are held for as long as they were. An act that can't be done again is left
out, and told.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TextIO

from ruamel.yaml import YAML

from harness.errors import ScenarioError
from harness.protocols.rtp.g711 import Samples
from harness.scenario.actors import ACTORS
from harness.scenario.model import MAX_ACTORS, MAX_STEPS
from harness.scenario.stimuli import ABOUT, HUMAN, PARTS, STIMULI, UNTOLD
from harness.testbed.model import Testbed

TOGETHER_S: Final = 0.001
"""Acts of different actors so near to each other are one step."""
AFTER_S: Final = 0.000_002
"""By so much an act comes later: a journal's times are rounded, and what it answered to must be before it."""
WAITS: Final = ("key", "key_groups", "press", "emergency")
WAITS_S: Final = 0.5
"""Acts that last until the floor is had, and how long that is apt to take."""
PART_WITHIN_S: Final = 10.0
"""For so long an event may be part of the act before."""
MAX_LINE: Final = 64 * 1024
"""Characters of one line of a journal."""
MAX_LINES: Final = 5_000_000


@dataclass(slots=True)
class Act:
    """One act of one actor."""

    time: float
    """Run time, seconds."""
    actor: str
    verb: str
    told: Any
    keep: str | None = None
    """Under which name what it gives is kept."""


@dataclass(slots=True)
class Recorded:
    """What a journal gave."""

    acts: list[Act] = field(default_factory=list)
    actors: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    """Acts that can't be done again, by kind and reason: how many."""
    clips: dict[str, Samples] = field(default_factory=dict)
    """What was said, by the name that the scenario gives it: a path from where the scenario will be."""

    def leave_out(self, why: str) -> None:
        """Note an act that can't be done again, and why."""
        self.left_out[why] = self.left_out.get(why, 0) + 1

    @property
    def may_be_late(self) -> int:
        """How many acts come so soon after one that waits for a floor that they may have to wait with it."""
        pairs = pairwise(self.acts)
        return sum(act.verb in WAITS and after.time - act.time < WAITS_S for act, after in pairs)

    def spacing(self) -> list[tuple[float, str, str]]:
        """Each act's time since the first, its actor and verb."""
        return [(round(act.time - self.acts[0].time, 6), act.actor, act.verb) for act in self.acts]


def record(journal: TextIO, testbed: Testbed, name: str) -> Recorded:
    """Return what was done in a run. ``name``: the journal's, for errors.

    Raises ScenarioError naming file and line for what is no journal of this testbed, or too much.
    """
    roles = _roles(testbed)
    found = Recorded()
    incidents: dict[str, str] = {}
    emergencies: dict[str, str] = {}
    parts: dict[str, tuple[float, list[str]]] = {}
    for event in _events(journal, name):
        source, kind, data, time = event["source"], event["kind"], event["data"], float(event["time"])
        if source not in roles:
            continue
        if kind == "incident.opened" and found.acts and found.acts[-1].verb == "open_incident":
            incidents.setdefault(str(data.get("incident")), found.acts[-1].keep or "")
        if kind == "emergency.shown":
            emergencies[source] = str(data.get("emergency"))
        if kind in ABOUT and source in emergencies:
            data = data | {"emergency": emergencies[source]}
        until, expected = parts.get(source, (0.0, []))
        if kind in expected and time <= until:
            expected.remove(kind)
            continue
        _take(found, roles[source], source, kind, data, time, incidents)
        if kind in PARTS:
            parts[source] = time + PART_WITHIN_S, list(PARTS[kind])
    return checked(found, testbed, name)


def checked(found: Recorded, testbed: Testbed, name: str) -> Recorded:
    """Return what was found. Raises ScenarioError where that is nothing, or more than a scenario holds."""
    if not found.acts:
        told = "; ".join(f"left out, {count}: {why}" for why, count in sorted(found.left_out.items()))
        raise ScenarioError(
            f"{name}: found no act of an actor of testbed {testbed.name!r}" + (f" ({told})" if told else "")
        )
    if len(found.acts) > MAX_STEPS or len(found.actors) > MAX_ACTORS:
        raise ScenarioError(
            f"{name}: found {len(found.acts)} acts of {len(found.actors)} actors; a scenario has {MAX_STEPS} steps and "
            f"{MAX_ACTORS} actors at most"
        )
    return found


def _take(
    found: Recorded, role: str, source: str, kind: str, data: dict[str, Any], time: float, incidents: dict[str, str]
) -> None:
    make = STIMULI.get((role, kind))
    if make is None:
        if kind.startswith(HUMAN) and kind not in UNTOLD:
            found.leave_out(f"{kind}: no verb does it again with what the journal tells")
        return
    verb, told = make(data)
    if isinstance(told, dict) and "incident" in told:
        if told["incident"] not in incidents:
            found.leave_out(f"{kind}: of an incident that was not opened in this run")
            return
        told = told | {"incident": f"${{{incidents[told['incident']]}}}"}
    if "…" in json.dumps(told, ensure_ascii=False) or "*" in str((told or {}).get("number", "")):
        found.leave_out(f"{kind}: the journal has the number masked")
        return
    actor = actor_name(source)
    found.actors.setdefault(actor, {"role": role, "component": source})
    keep = None
    if verb == "open_incident":
        keep = f"incident_{sum(act.keep is not None for act in found.acts) + 1}"
    found.acts.append(Act(time, actor, verb, told, keep))


def _roles(testbed: Testbed) -> dict[str, str]:
    """The actor's role of each component that can be one."""
    roles: dict[str, str] = {}
    for name, component in testbed.components.items():
        for role, actor in ACTORS.items():
            if isinstance(component, actor.kind) and any(each == role for each, _ in STIMULI):
                roles[name] = role
    return roles


def actor_name(component: str) -> str:
    """Return the name of the actor that stands for a component."""
    name = re.sub(r"[^a-z0-9_]", "_", component)[:36]
    return name if name[:1].isalpha() else f"a_{name}"


def _events(journal: TextIO, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_bounded(journal, name), 1):
        try:
            event = json.loads(line)
            fits = isinstance(event["data"], dict) and isinstance(event["source"], str) and float(event["time"]) >= 0
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise ScenarioError(f"{name}:{number}: found {line[:60]!r}; a journal's line is an event as JSON")
        yield event


def _bounded(journal: TextIO, name: str) -> Iterator[str]:
    number = 0
    while line := journal.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE or number > MAX_LINES:
            raise ScenarioError(
                f"{name}:{number}: found more than {MAX_LINE} characters in a line or {MAX_LINES} lines"
            )
        if line.strip():
            yield line


def scenario_text(recorded: Recorded, id_: str, title: str) -> str:
    """The scenario as a file."""
    first = recorded.acts[0].time
    steps = [_step(together, together[0].time - first) for together in _together(recorded.acts)]
    media = "packets" if any(act.verb == "begin_saying" for act in recorded.acts) else "none"
    tree = {"id": id_, "title": title, "media": media, "actors": recorded.actors, "timeline": steps}
    out = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 160
    yaml.dump(tree, out)
    return out.getvalue()


def _together(acts: Iterable[Act]) -> Iterator[list[Act]]:
    group: list[Act] = []
    for act in acts:
        apart = group and (act.time - group[0].time > TOGETHER_S or act.actor in {each.actor for each in group})
        if apart or (group and (act.keep is not None or group[0].keep is not None)):
            yield group
            group = []
        group.append(act)
    if group:
        yield group


def _step(acts: list[Act], at: float) -> dict[str, Any]:
    step: dict[str, Any] = {"at": f"{at + AFTER_S if at else at:.6f} s"}
    step |= {act.actor: {act.verb: act.told} for act in acts}
    return step | ({"as": acts[0].keep} if acts[0].keep is not None else {})
