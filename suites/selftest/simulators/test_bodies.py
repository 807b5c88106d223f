"""Requests' bodies of all simulators: JSON's own types, none taken for another, and what JSON has not can be told."""

from __future__ import annotations

import enum
import importlib
import pkgutil
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, get_args, get_origin

import pytest
from pydantic import ValidationError
from pydantic.types import Strict

import simulators
from simulators.bodies import Body
from simulators.emergency.bodies import ConnectBody, OperatorsBody
from simulators.iccs.api.radio_services import PatchBody
from simulators.radio.control import CourseBody, LinkBody
from simulators.roip.api import FaultBody
from simulators.switch.api import CutBody

NOT_IN_JSON = (enum.Enum, date, timedelta, bytes, tuple, set, frozenset)


def bodies(of: type[Body] = Body) -> Iterator[type[Body]]:
    for each in of.__subclasses__():
        yield each
        yield from bodies(each)


def strict_of(kind: Any, *, lax: bool) -> Iterator[Any]:
    """The types in a field's annotation that JSON has not and that are looked at strictly."""
    metadata = [*getattr(kind, "__metadata__", ())]
    metadata += [found for each in metadata for found in getattr(each, "metadata", ())]
    lax = lax or any(isinstance(each, Strict) and not each.strict for each in metadata)
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, NOT_IN_JSON) and not lax:
        yield kind
    for each in get_args(kind):
        yield from strict_of(
            each, lax=lax and hasattr(kind, "__metadata__")
        )  # what is said of a list is not of its parts


def test_what_json_has_not_is_never_due_as_such() -> None:
    for module in pkgutil.walk_packages(simulators.__path__, "simulators."):
        importlib.import_module(module.name)
    found = list(bodies())
    assert len(found) > 100, "of all simulators"
    for body in found:
        for name, field in body.model_fields.items():
            lax = any(isinstance(each, Strict) and not each.strict for each in field.metadata)
            assert list(strict_of(field.annotation, lax=lax)) == [], f"{body.__module__}.{body.__name__}.{name}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (ConnectBody, {"silent": "55"}),
        (OperatorsBody, {"automatic": 2.0, "answer_s": {"least": 1, "most": 2.5}}),
        (CourseBody, {"waypoints": [[55.0, -4], [55.5, -4.25]], "speed_kmh": 30}),
        (FaultBody, {"fault": "down", "seconds": 5}),
        (PatchBody, {"talkgroups": ["GD-OPS-1", "GD-OPS-2"]}),
    ],
)
def test_what_json_can_tell_is_taken(body: type[Body], told: dict[str, Any]) -> None:
    assert set(told) == body.model_validate(told).model_fields_set


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (ConnectBody, {"silent": "60"}),
        (ConnectBody, {"route": 1}),
        (OperatorsBody, {"automatic": "2"}),
        (CourseBody, {"waypoints": [["55", -4]], "speed_kmh": 30}),
        (CourseBody, {"waypoints": [[55.0, -4]], "speed_kmh": "30"}),
        (FaultBody, {"fault": "down", "seconds": "5"}),
        (LinkBody, {"up": 1}),
        (LinkBody, {"up": "yes"}),
        (CutBody, {"cut": 0}),
        (PatchBody, {"talkgroups": ["GD-OPS-1"]}),
        (PatchBody, {"talkgroups": ["GD-OPS-1", "GD-OPS-2"], "more": 1}),
    ],
)
def test_one_type_is_not_taken_for_another(body: type[Body], told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        body.model_validate(told)
