"""Which attributes a SCIM resource has (RFC 7643 section 2), by names whose case does not matter.

A resource is JSON: core attributes at its top, each extension's under its URI. A path is the keys that lead to an
attribute: ``("name", "givenName")``, or ``("urn:…:enterprise:2.0:User", "department")``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from harness.errors import ScimError

T = TypeVar("T")
Path = tuple[str, ...]
MAX_PATH: Final = 256
"""Characters of a path."""
ALWAYS: Final = frozenset({"id", "schemas"})
"""What is told whatever was asked for (RFC 7643 section 7, ``returned: always``)."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute, or the resource as a whole."""

    name: str
    parts: Mapping[str, Attribute] = field(default_factory=dict)
    """Its sub-attributes, by their names in lower case; empty: it is simple."""
    multiple: bool = False
    """Whether it has several values."""
    exact: bool = False
    """Whether the case of its text matters (``caseExact``)."""
    fixed: bool = False
    """Whether the service alone sets it (``readOnly``)."""
    boolean: bool = False
    required: bool = False
    """Whether a resource, or the complex value that it is in, needs it."""
    values: tuple[str, ...] = ()
    """What its text can be; empty: anything."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The attributes of one type of resource."""

    core: str
    """The URI of the core schema, which no path needs."""
    root: Attribute
    """Core attributes, and an attribute for each extension, named by its URI."""

    def path(self, text: str, *, wrong: str = "invalidPath") -> Path:
        """The keys that an attribute path leads by. Raises ScimError of type ``wrong`` for what is not there.

        ``userName``, ``name.givenName``, ``urn:…:core:2.0:User:userName``, ``urn:…:enterprise:2.0:User:department``.
        """
        if len(text) > MAX_PATH:
            raise ScimError(f"an attribute path has at most {MAX_PATH} characters", wrong)
        keys: list[str] = []
        at, rest = self.root, text
        lowered = text.lower()
        if lowered.startswith(self.core.lower() + ":"):
            rest = text[len(self.core) + 1 :]
        else:
            for uri, extension in self.root.parts.items():
                if ":" in uri and (lowered == uri or lowered.startswith(uri + ":")):
                    at, rest = extension, text[len(uri) + 1 :]
                    keys.append(extension.name)
                    break
        for name in rest.split(".") if rest or not keys else ():
            found = at.parts.get(name.lower())
            if found is None or ":" in name:
                raise ScimError(f"there is no attribute {text!r}", wrong)
            keys.append(found.name)
            at = found
        return tuple(keys)

    def attribute(self, path: Path) -> Attribute:
        """The attribute at a path that `path` gave."""
        at = self.root
        for key in path:
            at = at.parts[key.lower()]
        return at

    def canonical(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A resource that a client sent, by the names of the schema; what the schema does not know is left out."""
        return _canonical(document, self.root)

    def narrowed(
        self, document: Mapping[str, Any], wanted: frozenset[Path], unwanted: frozenset[Path]
    ) -> dict[str, Any]:
        """What is told of a resource: of ``wanted`` only, or all but ``unwanted`` (RFC 7644 section 3.9)."""
        if wanted:
            return _only(document, wanted | {(each,) for each in ALWAYS})
        return _without(document, frozenset(path for path in unwanted if path[0] not in ALWAYS))


def _canonical(value: Mapping[str, Any], attribute: Attribute) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, item in value.items():
        known = attribute.parts.get(key.lower())
        if known is not None:
            told[known.name] = _inside(item, _canonical, known) if known.parts else item
    return told


def _inside(item: Any, change: Callable[[Mapping[str, Any], T], Any], how: T) -> Any:
    """An attribute of which each complex value is changed."""
    if isinstance(item, dict):
        return change(item, how)
    if isinstance(item, list):
        return [change(each, how) if isinstance(each, dict) else each for each in item]
    return item


def _only(value: Mapping[str, Any], wanted: frozenset[Path]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, item in value.items():
        inner = frozenset(path[1:] for path in wanted if path[0] == key)
        if () in inner:
            told[key] = item
        elif inner:
            told[key] = _inside(item, _only, inner)
    return told


def _without(value: Mapping[str, Any], unwanted: frozenset[Path]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, item in value.items():
        inner = frozenset(path[1:] for path in unwanted if path[0] == key)
        if () not in inner:
            told[key] = _inside(item, _without, inner) if inner else item
    return told
