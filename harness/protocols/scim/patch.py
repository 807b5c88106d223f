"""What a SCIM PATCH makes of a resource (RFC 7644 section 3.5.2): operations in their order, all of them or none.

A resource is changed as a copy: where an operation can't be done, nothing was. What the service alone sets can't be a
target. Directories write true and false as texts, and so do SDKs; for a boolean attribute these are taken.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import ScimError
from harness.protocols.scim.filters import Filter, parse_value_filter
from harness.protocols.scim.layout import Attribute, Layout, Path

MAX_OPERATIONS: Final = 100
"""Operations of one patch. [p]"""
MAX_VALUES: Final = 1_000
"""Values that an attribute of several has. [p]"""
_PATH: Final = re.compile(r"(?P<at>[^\[\]]+)(?:\[(?P<filter>.*)\](?:\.(?P<part>[A-Za-z$][\w$-]*))?)?", re.DOTALL)
_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    op: str
    """``add``, ``replace`` or ``remove``, in any case."""
    path: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class _Target:
    path: Path
    attribute: Attribute
    which: Filter | None
    part: Attribute | None


def patched(resource: Mapping[str, Any], operations: Sequence[Operation], layout: Layout) -> dict[str, Any]:
    """The resource, in its schema's own names, after the operations. Raises ScimError; the resource stays as it is."""
    if not 1 <= len(operations) <= MAX_OPERATIONS:
        raise ScimError(f"a patch has 1 to {MAX_OPERATIONS} operations", "invalidSyntax")
    changed = copy.deepcopy(dict(resource))
    for each in operations:
        _operate(changed, each, layout)
    return changed


def _operate(resource: dict[str, Any], operation: Operation, layout: Layout) -> None:
    op = operation.op.lower()
    if op not in {"add", "replace", "remove"}:
        raise ScimError(f"there is no operation {operation.op[:16]!r}: add, replace or remove", "invalidSyntax")
    if operation.path is None:
        if op == "remove":
            raise ScimError("remove needs a path", "noTarget")
        if not isinstance(operation.value, dict):
            raise ScimError(f"{op} without a path needs an object of attributes", "invalidValue")
        for name, value in operation.value.items():
            _apply(resource, op, _target(name, layout), value, layout)
        return
    _apply(resource, op, _target(operation.path, layout), operation.value, layout)


def _target(text: str, layout: Layout) -> _Target:
    found = _PATH.fullmatch(text)
    if found is None:
        raise ScimError(f"{text[:64]!r} is no path", "invalidPath")
    path = layout.path(found["at"])
    attribute = layout.root
    for key in path:
        attribute = attribute.parts[key.lower()]
        if attribute.fixed:
            raise ScimError(f"{text[:64]!r} can't be changed", "mutability")
    if found["filter"] is None:
        return _Target(path, attribute, None, None)
    if not (attribute.multiple and attribute.parts):
        raise ScimError(f"{found['at'][:64]!r} has not several values to choose of", "invalidPath")
    which = parse_value_filter(found["filter"], layout, attribute)
    part = None
    if found["part"] is not None:
        part = attribute.parts.get(found["part"].lower())
        if part is None:
            raise ScimError(f"there is no attribute {found['part'][:64]!r} of {attribute.name}", "invalidPath")
    return _Target(path, attribute, which, part)


def _fitting(value: Any, attribute: Attribute) -> Any:
    """A value by the schema's own names."""
    if attribute.boolean and isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    if isinstance(value, list) and attribute.multiple:
        return [_fitting(each, attribute) for each in value]
    if attribute.parts:
        if not isinstance(value, dict):
            raise ScimError(f"a value of {attribute.name} is an object", "invalidValue")
        told = {}
        for key, item in value.items():
            known = attribute.parts.get(key.lower())
            if known is None:
                raise ScimError(f"there is no attribute {key[:64]!r} of {attribute.name}", "invalidValue")
            told[known.name] = _fitting(item, known)
        return told
    return value


def _apply(resource: dict[str, Any], op: str, target: _Target, value: Any, layout: Layout) -> None:
    if target.which is not None:
        _apply_to_some(resource, op, target, value)
        return
    if op == "remove":
        _remove(resource, target, value)
        return
    if value is None:
        raise ScimError(f"{op} needs a value", "invalidValue")
    _set(resource, target, _fitting(value, target.attribute), layout, adding=op == "add")


def _holders(resource: dict[str, Any], path: Path, making: Attribute | None = None) -> list[dict[str, Any]]:
    """The objects that hold the last key of a path; of several values each.

    ``making``: what the path begins in, so that an object that is not there yet is made.
    """
    found = [resource]
    for key in path[:-1]:
        inner: list[dict[str, Any]] = []
        making = making.parts[key.lower()] if making is not None else None
        for each in found:
            value = each.get(key)
            if value is None and making is not None and not making.multiple:
                value = each[key] = {}
            if isinstance(value, dict):
                inner.append(value)
            elif isinstance(value, list):
                inner += [item for item in value if isinstance(item, dict)]
        found = inner
    return found


def _set(resource: dict[str, Any], target: _Target, value: Any, layout: Layout, *, adding: bool) -> None:
    path, attribute = target.path, target.attribute
    holders = _holders(resource, path, layout.root)
    if not holders:
        raise ScimError(f"nothing is there at {'.'.join(path)}", "noTarget")
    key = path[-1]
    for holder in holders:
        if attribute.multiple:
            given = value if isinstance(value, list) else [value]
            kept = list(holder.get(key) or ()) if adding else []
            new = [each for each in given if each not in kept]
            _only_one_primary(kept, new)
            holder[key] = kept + new
            if len(holder[key]) > MAX_VALUES:
                raise ScimError(f"{attribute.name} has at most {MAX_VALUES} values", "tooMany")
        elif attribute.parts:
            # Sub-attributes that are not named stay as they are, of add and replace alike.
            holder[key] = {**(holder.get(key) or {}), **value}
        else:
            holder[key] = value


def _only_one_primary(kept: list[Any], given: list[Any]) -> None:
    """A new primary value ends that of the others (RFC 7644 section 3.5.2)."""
    if any(isinstance(each, dict) and each.get("primary") is True for each in given):
        for number, each in enumerate(kept):
            if isinstance(each, dict) and each.get("primary") is True:
                kept[number] = {**each, "primary": False}


def _remove(resource: dict[str, Any], target: _Target, value: Any) -> None:
    key = target.path[-1]
    for holder in _holders(resource, target.path):
        if value is not None and target.attribute.multiple:
            # As directories take members out: the values that go are told with the operation.
            gone = _fitting(value if isinstance(value, list) else [value], target.attribute)
            values = [_value(each) for each in gone]
            holder[key] = [each for each in holder.get(key) or () if _value(each) not in values]
        else:
            holder.pop(key, None)


def _value(item: Any) -> Any:
    return item.get("value") if isinstance(item, dict) else item


def _apply_to_some(resource: dict[str, Any], op: str, target: _Target, value: Any) -> None:
    assert target.which is not None
    key, found = target.path[-1], False
    for holder in _holders(resource, target.path):
        kept = []
        for item in holder.get(key) or ():
            if not target.which.fits(item):
                kept.append(item)
                continue
            found = True
            if op == "remove":
                if target.part is not None:
                    kept.append({name: each for name, each in item.items() if name != target.part.name})
            elif value is None:
                raise ScimError(f"{op} needs a value", "invalidValue")
            elif target.part is not None:
                kept.append({**item, target.part.name: _fitting(value, target.part)})
            elif isinstance(value, list):
                raise ScimError(f"one value of {target.attribute.name} is an object", "invalidValue")
            else:
                kept.append({**item, **_fitting(value, target.attribute)})
        holder[key] = kept
    if not found:
        raise ScimError(f"no value of {target.attribute.name} fits", "noTarget")
