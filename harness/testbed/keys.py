"""Which keys a place in a testbed file may have, read from the model, so that an error can name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

_TAGS = ("role", "by")
"""The keys that tell which member of a union is meant."""


def allowed_keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the keys of the models at ``location``, as pydantic gives it (union members' tags among the steps)."""
    places: list[Any] = [model]
    for step in location:
        places = list(_beneath(places, step))
    return list(dict.fromkeys(key for each in places if _is_model(each) for key in each.model_fields))


def _beneath(places: Iterable[Any], step: str | int) -> Iterable[Any]:
    everything = list(places)
    tagged = [each for each in everything if _is_model(each) and _has_tag(each, step)]
    if tagged:
        yield from tagged
        return
    for each in everything:
        if not _is_model(each):
            yield from (member for argument in get_args(each)[-2:] for member in _members(argument))
        elif step in each.model_fields:
            yield from _members(each.model_fields[step].annotation)
        elif len(everything) > 1:  # a tag that no field names: the member is not known, so all may be it
            yield each


def _members(annotation: Any) -> Iterable[Any]:
    """The models and containers that an annotation can stand for."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif _is_model(annotation) or origin in {dict, tuple, list}:
        yield annotation
    else:
        for argument in get_args(annotation):
            yield from _members(argument)


def _has_tag(model: type[BaseModel], step: str | int) -> bool:
    tags = (model.model_fields[key].annotation for key in _TAGS if key in model.model_fields)
    return any(get_origin(tag) is Literal and get_args(tag) == (step,) for tag in tags)


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)
