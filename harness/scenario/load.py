"""Reads a scenario file, includes and variables written out; errors name file, line, what was found and was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.errors import ScenarioError
from harness.scenario.actors import ACTORS
from harness.scenario.check import complaints
from harness.scenario.load_model.model import CallsLoad, Load, RadioLoad
from harness.scenario.model import KEYWORDS, MAX_STEPS, Expect, Outcome, Scenario, Step
from harness.scenario.names import meant, resolved
from harness.source import Spot, read_tree, shown

_LOAD_KEYS: Final = {
    "": Load.model_fields,
    "calls": CallsLoad.model_fields,
    "radio": RadioLoad.model_fields,
}
"""The keys of a load, by its parts."""
MAX_ERRORS: Final = 50
"""Errors that are told of one file."""
MAX_INCLUDES: Final = 64
"""Files that a scenario may include, each time counted."""
MAX_INCLUDED_DEPTH: Final = 4
"""How deep included files may include others."""
PART_KEYS: Final = frozenset({"variables", "include", "actors", "timeline"})
"""What an included file may hold."""


def load_scenario(path: Path) -> Scenario:
    """Return the scenario that a file describes.

    Raises ScenarioError with one line an error: ``file:line: key: found …; allowed: …``.
    """
    return load_with_lines(path)[0]


def load_with_lines(path: Path) -> tuple[Scenario, Spot]:
    """As `load_scenario`, and where everything stands: ``("timeline", 3)`` is the place of the fourth step."""
    tree, spot = _Includer(path).whole()
    if "load" in tree:
        raise ScenarioError(
            spot.at(["load"]).error("found a load, which has no timeline: 'iccs replay FILE --virtual' plays it")
        )
    try:
        scenario = Scenario.model_validate(tree, context=path.parent)
    except ValidationError as error:
        raise invalid(spot, error) from error
    found = complaints(scenario)
    if found:
        raise _errors([spot.at(location).error(f"{_dotted(location)}: {message}") for location, message in found])
    return scenario, spot


def invalid(spot: Spot, error: ValidationError) -> ScenarioError:
    """What is wrong with a file whose parts stand at ``spot``, one line an error."""
    return _errors([_told(spot, each) for each in _independent(error.errors(include_url=False))])


def _independent(errors: Sequence[Any]) -> list[Any]:
    """Leave out that a list is too short where that is so because its items are wrong."""
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(other["loc"][: len(error["loc"])] == error["loc"] for other in errors if other is not error)
    ]


def _errors(told: list[str]) -> ScenarioError:
    told = list(dict.fromkeys(told))
    more = [f"and {len(told) - MAX_ERRORS} errors more"] if len(told) > MAX_ERRORS else []
    return ScenarioError("\n".join(told[:MAX_ERRORS] + more))


class _Includer:
    """Writes out includes and variables."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.parent
        self._included = 0

    def whole(self) -> tuple[dict[str, Any], Spot]:
        """The whole tree, and where everything stands. Raises ScenarioError."""
        tree, spot = read_tree(self._path)
        self._folder = self._path.resolve().parent
        variables, actors = self._heads(tree, spot, {}, (self._path.resolve(),))
        tree["actors"] = actors if actors or "actors" not in tree else tree["actors"]
        self._timeline(tree, spot, variables, (self._path.resolve(),))
        tree.pop("variables", None)
        tree.pop("include", None)
        return resolved(tree, _looked_up(variables)), spot

    def _heads(
        self, tree: dict[str, Any], spot: Spot, given: dict[str, Any], within: tuple[Path, ...]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Variables and actors of a file and of those that it includes at its head; its own go before theirs."""
        variables: dict[str, Any] = {}
        actors: dict[str, Any] = {}
        there = tree.get("actors")
        own = there if isinstance(there, Mapping) else {}
        actor_spots = spot.parts.setdefault("actors", Spot(spot.file, spot.line))
        listed = tree.get("include") or []
        listed_spot = spot.at(["include"])
        if not isinstance(listed, list):
            raise ScenarioError(listed_spot.error(f"include: found {shown(listed)}; allowed: a list of files"))
        for index, name in enumerate(listed):
            path = self._open(name, listed_spot.at([index]), within)
            part, part_spot = self._part(path, listed_spot.at([index]))
            more, cast = self._heads(part, part_spot, {}, (*within, path))
            variables |= more
            for actor, told in cast.items():
                actors[actor] = told
                if actor not in own:
                    actor_spots.parts[actor] = part_spot.at(["actors", actor])
        told = tree.get("variables") or {}
        if not isinstance(told, Mapping):
            raise ScenarioError(spot.at(["variables"]).error(f"variables: found {shown(told)}; allowed: a mapping"))
        for name, value in told.items():
            if isinstance(value, Mapping | list):
                place = spot.at(["variables", name])
                raise ScenarioError(place.error(f"variables.{name}: found {shown(value)}; allowed: one value"))
        variables |= {str(name): value for name, value in told.items()} | given
        return variables, resolved(actors | dict(own), _looked_up(variables))

    def _timeline(self, tree: dict[str, Any], spot: Spot, variables: dict[str, Any], within: tuple[Path, ...]) -> None:
        """Put the steps of included files in their places."""
        timeline = tree.get("timeline")
        if not isinstance(timeline, list):
            return
        place = spot.parts.get("timeline", spot)
        steps: list[Any] = []
        spots: dict[str | int, Spot] = {}
        for index, step in enumerate(timeline):
            at = place.at([index])
            if not (isinstance(step, Mapping) and "include" in step):
                spots[len(steps)] = at
                steps.append(resolved(step, _looked_up(variables)))
                continue
            for key in step:
                if key not in {"include", "with"}:
                    raise ScenarioError(
                        at.at([key]).error(f"timeline.{index}: found {key!r} beside 'include'; allowed: 'with'")
                    )
            given = step.get("with") or {}
            if not isinstance(given, Mapping):
                raise ScenarioError(at.at(["with"]).error(f"with: found {shown(given)}; allowed: a mapping"))
            path = self._open(step["include"], at.at(["include"]), within)
            part, part_spot = self._part(path, at.at(["include"]))
            own, _ = self._heads(part, part_spot, {}, (*within, path))
            for name in given:
                if name not in own:
                    raise ScenarioError(
                        at.at(["with", name]).error(f"with: {path.name} has no variable {name!r}{meant(name, own)}")
                    )
            scope = variables | own | resolved(dict(given), _looked_up(variables))
            self._timeline(part, part_spot, scope, (*within, path))
            inner = part.get("timeline")
            if not isinstance(inner, list):
                raise ScenarioError(part_spot.error("found no 'timeline'; a file that is included there has one"))
            for number, each in enumerate(inner):
                spots[len(steps)] = part_spot.at(["timeline", number])
                steps.append(each)
            if len(steps) > MAX_STEPS:
                raise ScenarioError(at.error(f"found more than {MAX_STEPS} steps, includes written out"))
        tree["timeline"] = steps
        place.parts = spots

    def _open(self, name: Any, at: Spot, within: tuple[Path, ...]) -> Path:
        """The path of a file that is included: beneath the scenario's folder, and not within itself."""
        if not isinstance(name, str) or not name:
            raise ScenarioError(at.error(f"include: found {shown(name)}; allowed: a file's name"))
        self._included += 1
        if self._included > MAX_INCLUDES or len(within) > MAX_INCLUDED_DEPTH:
            raise ScenarioError(
                at.error(f"include: more than {MAX_INCLUDES} files are included, or deeper than {MAX_INCLUDED_DEPTH}")
            )
        try:
            path = (self._folder / name).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise ScenarioError(at.error(f"include: {name!r} can't be read: {error}")) from error
        if not path.is_relative_to(self._folder):
            raise ScenarioError(at.error(f"include: found {name!r}; allowed: files in the scenario's own folder"))
        if path in within:
            raise ScenarioError(at.error(f"include: {name} includes itself"))
        return path

    def _part(self, path: Path, at: Spot) -> tuple[dict[str, Any], Spot]:
        if not path.is_file():
            files = [str(each.relative_to(self._folder)) for each in sorted(self._folder.rglob("*.yaml"))[:500]]
            name = str(path.relative_to(self._folder))
            raise ScenarioError(at.error(f"include: found {name!r}, which is no file{meant(name, files)}"))
        part, spot = read_tree(path)
        for key in part:
            if key not in PART_KEYS:
                raise ScenarioError(
                    spot.at([key]).error(f"found {key!r} in an included file; allowed: {', '.join(sorted(PART_KEYS))}")
                )
        return part, spot


def _looked_up(variables: Mapping[str, Any]) -> Any:
    def look_up(name: str, field: str) -> Any:
        if field:
            raise KeyError(name)
        return variables[name]

    return look_up


def _told(spot: Spot, error: Any) -> str:
    """One of pydantic's errors as a line: where, what was found, what is allowed."""
    place = spot.at(error["loc"])
    location = [step for step in error["loc"] if step not in ACTORS]
    kind, last = error["type"], location[-1] if location else ""
    dotted = _dotted(location)
    if kind == "extra_forbidden":
        return place.error(
            f"{dotted}: found the unknown key {str(last)[:60]!r}{meant(str(last), _keys(location[:-1]))}"
        )
    if kind == "missing":
        return place.error(f"{dotted}: found nothing; this key is needed")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        role = error["input"].get("role") if isinstance(error["input"], dict) else None
        return place.at(["role"]).error(f"{dotted}.role: found {shown(role)}{meant(str(role), ACTORS)}")
    if last == "[key]":
        return place.error(f"{dotted}: found the name {error['input']!r}; a name has small letters, digits and _")
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":
        return place.error(f"{dotted}: found {shown(error['input'])}: {message}")
    return place.error(f"{dotted}: found {shown(error['input'])}; allowed: {message[:1].lower() + message[1:]}")


def _keys(location: list[str | int]) -> list[str]:
    """The keys that a place of the file may have."""
    match location:
        case []:
            return [*Scenario.model_fields, "variables", "include"]
        case ["load", *deeper]:
            return sorted(_LOAD_KEYS.get(str(deeper[0]) if deeper else "", ()))
        case ["actors", _]:
            return sorted({key for each in ACTORS.values() for key in each.model_fields})
        case ["timeline", _]:
            return sorted(KEYWORDS - {"acts"})
        case ["outcome", _]:
            return _aliases(Outcome)
        case ["timeline", _, "expect", *_]:
            return _aliases(Expect)
    return []


def _aliases(model: type[Expect] | type[Outcome] | type[Step]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _dotted(location: Any) -> str:
    return ".".join(str(step) for step in location if step != "acts") or "the file"
