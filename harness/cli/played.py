"""Which scenarios a dossier shows by site: those of fixtures/scenarios, in the order of their files."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cli.places import FIXTURES
from harness.errors import LocalError
from harness.scenario.load import load_scenario


@dataclass(frozen=True, slots=True)
class Shown:
    """One scenario, as its column's head tells it."""

    id: str
    title: str


def scenarios_shown() -> list[Shown]:
    """Return them; one whose file can't be read is there by the file's name and says so: it was never played."""
    shown = []
    for file in sorted((FIXTURES / "scenarios").glob("*.yaml")):
        try:
            scenario = load_scenario(file)
        except LocalError:
            shown.append(Shown(file.stem, f"{file.name}, which can't be read"))
        else:
            shown.append(Shown(scenario.id, scenario.title))
    return shown
