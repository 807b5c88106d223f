"""Reads the catalogue of acceptance criteria: what each asks, with what figures, and on whose word.

A figure is a parameter: the text names it in braces, a suite reads it by name, and one still to be agreed is marked
`proposed`. Every error names the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from harness.errors import LocalError

CATALOGUE = Path(__file__).parents[2] / "fixtures" / "requirements"
"""Where the catalogue lies in this repository."""
SOURCES_FILE = "sources.yaml"
NEAREST_SHOWN = 4
"""Ids suggested for one that is not in the catalogue."""

RequirementId = Annotated[str, StringConstraints(pattern=r"^(?:NICCS-)?[A-Z]{3}-\d{3}$")]
Priority = Literal["M", "S", "C"]
PRIORITIES: Mapping[str, str] = {"M": "Must", "S": "Should", "C": "Could"}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class CatalogueError(LocalError):
    """The catalogue can't be read, or an id is asked for that it does not hold."""


class Figure(BaseModel):
    """A number that a criterion turns on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: int | float
    unit: str = ""
    """``s``, ``ms``, ``%`` …; empty for a count."""
    proposed: bool
    """True while the figure is this project's proposal, still to be agreed."""
    source: str | None = None
    """Key of the source whose figure it is."""

    def __str__(self) -> str:
        """Return the figure as a person reads it: ``1,000 ms``, ``2 s (proposed)``."""
        number = f"{self.value:,}" if isinstance(self.value, int) else str(self.value)
        return number + (f" {self.unit}" if self.unit else "") + (" (proposed)" if self.proposed else "")


class Requirement(BaseModel):
    """One acceptance criterion."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: RequirementId
    priority: Priority
    given: str
    when: str = ""
    """Empty where the given is itself the event."""
    then: str
    sources: tuple[str, ...] = ()
    figures: Mapping[str, Figure] = Field(default_factory=dict)
    group: str = ""
    """``TEL``, ``RAD`` …, from the file."""
    feature: str = ""
    """The group's name: ``Telephony``, ``Radio`` …, from the file."""
    owner: str = ""
    """The office that answers for the group, from the file; empty where it names none."""

    @model_validator(mode="after")
    def _names_known_figures(self) -> Requirement:
        for name in _PLACEHOLDER.findall(f"{self.given} {self.when} {self.then}"):
            if name not in self.figures:
                raise ValueError(f"the text names the figure {name!r}, which is not among its figures")
        return self

    def figure(self, name: str) -> Figure:
        """Return a figure by name. Raises CatalogueError, naming those there are."""
        try:
            return self.figures[name]
        except KeyError:
            known = ", ".join(self.figures) or "none"
            raise CatalogueError(f"{self.id} has no figure {name!r}; it has: {known}") from None

    def filled(self, text: str) -> str:
        """Return one of the texts with its figures written in."""
        return _PLACEHOLDER.sub(lambda match: str(self.figures[match[1]]), text)

    @property
    def text(self) -> str:
        """The whole criterion as one sentence."""
        when = f"; when: {self.filled(self.when)}" if self.when else ""
        return f"Given: {self.filled(self.given)}{when}; then: {self.filled(self.then)}"

    @property
    def title(self) -> str:
        """A line for a table: what is done, and what is due."""
        return f"{self.filled(self.when or self.given)} → {self.filled(self.then)}"


class Catalogue(Mapping[str, Requirement]):
    """All criteria by id, in the catalogue's order."""

    def __init__(self, requirements: Iterable[Requirement], sources: Mapping[str, str]) -> None:
        self._by_id = {requirement.id: requirement for requirement in requirements}
        self.sources = sources
        """What each source key stands for."""

    def __getitem__(self, key: str) -> Requirement:
        try:
            return self._by_id[key]
        except KeyError:
            raise CatalogueError(self.unknown(key)) from None

    def __contains__(self, key: object) -> bool:
        return key in self._by_id

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def unknown(self, key: str) -> str:
        """Return what to tell someone who named an id that is not here."""
        from difflib import get_close_matches  # noqa: PLC0415 (only when something is wrong)

        near = get_close_matches(key, self._by_id, NEAREST_SHOWN, 0.6)
        return f"unknown requirement {key!r}" + (f"; did you mean {', '.join(near)}?" if near else "")


def load(folder: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue in ``folder``. Raises CatalogueError naming file, line, key and what is wrong."""
    if not (folder / SOURCES_FILE).is_file():
        raise CatalogueError(f"{folder}: no catalogue here ({SOURCES_FILE} is missing)")
    sources = _sources(folder / SOURCES_FILE)
    found: dict[str, tuple[Requirement, str]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == SOURCES_FILE:
            continue
        for requirement, place in _group(path, sources):
            if requirement.id in found:
                raise CatalogueError(f"{place}: {requirement.id} is defined already, at {found[requirement.id][1]}")
            found[requirement.id] = requirement, place
    order = sorted(found.values(), key=lambda pair: (_GROUP_ORDER.get(pair[0].group, 99), pair[0].id))
    return Catalogue((requirement for requirement, _ in order), sources)


@cache
def catalogue() -> Catalogue:
    """Return this repository's catalogue, read once."""
    return load()


_GROUP_ORDER = {
    group: index
    for index, group in enumerate(("TEL", "RAD", "INT", "RES", "REC", "ADM", "AUD", "WBX", "SVC", "NFR", "TRN"))
}


def _read(path: Path) -> CommentedMap:
    try:
        data = YAML(typ="rt").load(path)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalogueError(f"{path}:{line}: {error.problem}") from error
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise CatalogueError(f"{path}: {error}") from error
    if not isinstance(data, CommentedMap):
        raise CatalogueError(f"{path}:1: a mapping was due")
    return data


def _line(node: Any, key: Any) -> int:
    """Return the line of ``key`` in a mapping or of an index in a sequence, from 1."""
    try:
        return int((node.lc.key(key) if isinstance(node, CommentedMap) else node.lc.item(key))[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return int(getattr(getattr(node, "lc", None), "line", 0) or 0) + 1


def _sources(path: Path) -> Mapping[str, str]:
    data = _read(path)
    sources = data.get("sources")
    if not isinstance(sources, CommentedMap):
        raise CatalogueError(f"{path}:1: sources: a mapping of key to name was due")
    for key, name in sources.items():
        if not (isinstance(key, str) and isinstance(name, str) and name):
            raise CatalogueError(f"{path}:{_line(sources, key)}: sources.{key}: a name was due")
    return dict(sources)


def _group(path: Path, sources: Mapping[str, str]) -> Iterator[tuple[Requirement, str]]:
    data = _read(path)
    for key in ("group", "feature"):
        if not isinstance(data.get(key), str):
            raise CatalogueError(f"{path}:{_line(data, key)}: {key}: a text was due")
    owner = data.get("owner", "")
    if not isinstance(owner, str):
        raise CatalogueError(f"{path}:{_line(data, 'owner')}: owner: a text was due, found {owner!r}")
    shared = {"group": data["group"], "feature": data["feature"], "owner": owner}
    rows = data.get("requirements")
    if not isinstance(rows, CommentedSeq):
        raise CatalogueError(f"{path}:{_line(data, 'requirements')}: requirements: a list was due")
    for index, row in enumerate(rows):
        place = f"{path}:{_line(rows, index)}"
        if not isinstance(row, CommentedMap):
            raise CatalogueError(f"{place}: a mapping was due, found {row!r}")
        try:
            requirement = Requirement.model_validate({**row, **shared})
        except ValidationError as error:
            raise CatalogueError(_told(path, row, place, error)) from error
        if f"-{data['group']}-" not in f"-{requirement.id}":
            raise CatalogueError(f"{place}: {requirement.id} does not belong to the group {data['group']}")
        for source in (*requirement.sources, *(f.source for f in requirement.figures.values() if f.source)):
            if source.partition(" ")[0] not in sources:
                raise CatalogueError(f"{place}: {requirement.id}: the source {source!r} is not in {SOURCES_FILE}")
        yield requirement, place


def _told(path: Path, row: CommentedMap, place: str, error: ValidationError) -> str:
    # A key that is unknown explains the one that is missing.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    node: Any = row
    line = place.rpartition(":")[2]
    for step in first["loc"]:
        line = str(_line(node, step)) if isinstance(node, CommentedMap) and step in node else line
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
    key = ".".join(str(step) for step in first["loc"])
    found = "" if first["type"] == "missing" else f", found {first['input']!r}" if key else ""
    return f"{path}:{line}: {row.get('id', '?')}: {key + ': ' if key else ''}{first['msg']}{found}"
