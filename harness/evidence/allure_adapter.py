"""Puts evidence, requirements and what was real or simulated into the Allure result of the test that is running.

Works under allure-pytest and allure-robotframework alike: both listen to allure's own hooks. What the testbed is made
of comes from the environment that `iccs accept` sets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import allure

from harness.evidence.collect import Attachment
from harness.evidence.requirements import PRIORITIES, Requirement

STAGE_VARIABLE = "ICCS_STAGE"
BINDINGS_VARIABLE = "ICCS_BINDINGS"
REQUIREMENT = "requirement"
"""Name of the label, and type of the link, that tie a result to a criterion."""
OWNER = "owner"
"""Name of the label, Allure's own, that says which office answers for what a test proves."""
BINDING = "binding"
"""Name of the label that says what a result was won on."""
SCENARIO = "scenario"
"""Name of the label that says which scenario, by its id, a test plays."""
NOT_APPLICABLE: Literal["not applicable"] = "not applicable"
"""The outcome of a test that can't be asked of what is tested, declared with its reason."""
OUTCOME = "outcome"
"""Name of the label that tells a declared "not applicable" from a skip: Allure knows but one status for both."""
CATALOGUE_PAGE = "requirements.html"
"""The catalogue's page, beside the report; a requirement's text is at the anchor of its id."""
_SEVERITIES = {
    "M": allure.severity_level.CRITICAL,
    "S": allure.severity_level.NORMAL,
    "C": allure.severity_level.MINOR,
}
"""Allure's severity by the highest priority among a test's criteria."""

Binding = Literal["simulated", "real", "mixed"]
_dynamic: Any = allure.dynamic  # its methods carry no types


@dataclass(frozen=True, slots=True)
class RunDescription:
    """What a run's results were won on."""

    stage: str = "SAT"
    """FAT, SAT, E2E …, from the testbed."""
    bindings: Mapping[str, str] = field(default_factory=dict)
    """``simulated``, ``real`` or ``manual`` by component."""

    @property
    def binding(self) -> Binding:
        """``real`` only where nothing is simulated; a run that does not say what it stood on counts as simulated."""
        simulated = [name for name, how in self.bindings.items() if how == "simulated"]
        if not self.bindings or len(simulated) == len(self.bindings):
            return "simulated"
        return "mixed" if simulated else "real"

    @property
    def epic(self) -> str:
        """The report's first level: the stage, and what it stood on."""
        ground = {"simulated": "on simulators", "mixed": "partly on simulators", "real": "on real equipment"}
        return f"{self.stage} {ground[self.binding]}"

    def environment(self) -> dict[str, str]:
        """Return the variables that tell a child process of it."""
        return {STAGE_VARIABLE: self.stage, BINDINGS_VARIABLE: json.dumps(dict(self.bindings))}

    @classmethod
    def from_environment(cls) -> RunDescription:
        """Return what `environment` told, or a run on simulators where nothing was told or it can't be read."""
        try:
            bindings = json.loads(os.environ.get(BINDINGS_VARIABLE, "{}"))
        except ValueError:
            bindings = {}
        if not isinstance(bindings, dict):
            bindings = {}
        return cls(os.environ.get(STAGE_VARIABLE, "SAT"), {str(k): str(v) for k, v in bindings.items()})


def describe(requirements: Iterable[Requirement], run: RunDescription) -> None:
    """Label the running test: epic by stage, feature by group, story and link by requirement, owner, severity."""
    _dynamic.epic(run.epic)
    _dynamic.label(BINDING, run.binding)
    named = list(requirements)
    for requirement in named:
        _dynamic.label(REQUIREMENT, requirement.id)
        _dynamic.link(f"{CATALOGUE_PAGE}#{requirement.id}", link_type=REQUIREMENT, name=requirement.id)
    for feature in dict.fromkeys(requirement.feature for requirement in named):
        _dynamic.feature(feature)
    for owner in dict.fromkeys(requirement.owner for requirement in named if requirement.owner):
        _dynamic.label(OWNER, owner)
    for requirement in named:
        _dynamic.story(f"{requirement.id} {requirement.title}")
    if named:
        _dynamic.severity(_SEVERITIES[min((each.priority for each in named), key="MSC".index)])
    for priority in sorted({PRIORITIES[requirement.priority] for requirement in named}):
        _dynamic.tag(priority)


def entitle(title: str) -> None:
    """Name the running test for readers; its full name, by which it is known, stays."""
    _dynamic.title(title)


def plays(scenario: str) -> None:
    """Label the running test as a play of a scenario, by its id, whether or not it can be played here."""
    _dynamic.label(SCENARIO, scenario)


def declare_not_applicable() -> None:
    """Label and tag the running test so, for `read_results` and for the report's filters."""
    _dynamic.label(OUTCOME, NOT_APPLICABLE)
    _dynamic.tag(NOT_APPLICABLE)


def attach(attachments: Iterable[Attachment]) -> None:
    """Attach evidence to the running test; a note, where there is one, becomes part of its name."""
    for one in attachments:
        name = f"{one.name} ({one.note})" if one.note else one.name
        allure.attach(one.body, name=name, attachment_type=one.media_type, extension=one.extension)


EvidenceSource = Callable[[str | None], Sequence[Attachment]]
_sources: list[EvidenceSource] = []


def add_source(source: EvidenceSource) -> Callable[[], None]:
    """Have ``source`` asked for attachments at the end of each Robot test, with the message of one that failed, else
    None.

    The returned function ends that. pytest fixtures call `attach` themselves.
    """
    _sources.append(source)
    return lambda: _sources.remove(source)


def gathered(failed: str | None) -> list[Attachment]:
    """Return what the sources have for a test that has just ended; ``failed``: its message, if it failed."""
    return [attachment for source in tuple(_sources) for attachment in source(failed)]


def write_environment(results: Path, values: Mapping[str, str]) -> None:
    """Write ``environment.properties``, which the report shows beside the results."""
    results.mkdir(parents=True, exist_ok=True)
    lines = (f"{_property(key, key=True)}={_property(value)}" for key, value in values.items())
    (results / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _property(text: str, *, key: bool = False) -> str:
    """Escape as java.util.Properties reads it."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace(" ", "\\ ").replace("=", "\\=").replace(":", "\\:") if key else text
