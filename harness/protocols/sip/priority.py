"""How urgent a call is: Resource-Priority (RFC 4412, RFC 7135) and Priority (RFC 3261 section 20.26, RFC 7090).

Theory. Resource-Priority asks a network for precedence, in the terms of a namespace: `esnet.3`. Values of one namespace
are ordered, those of different ones are not. What is not known is passed over, unless the request requires it, which
gets 417 and what is known in Accept-Resource-Priority. Priority asks only how the called person's telephone treats the
call; `psap-callback` marks a control room's call back, which should get through where others are diverted or barred.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import TOKEN
from harness.protocols.sip.message import Message

HEADER: Final = "Resource-Priority"
ACCEPT_HEADER: Final = "Accept-Resource-Priority"
OPTION_TAG: Final = "resource-priority"
UNKNOWN_PRIORITY: Final = 417
"""The status of a request that requires what is not known (RFC 4412 section 4.6.2)."""
NAMESPACES: Final[dict[str, tuple[str, ...]]] = {
    "dsn": ("routine", "priority", "immediate", "flash", "flash-override"),
    "drsn": ("routine", "priority", "immediate", "flash", "flash-override", "flash-override-override"),
    "q735": ("4", "3", "2", "1", "0"),
    "ets": ("4", "3", "2", "1", "0"),
    "wps": ("4", "3", "2", "1", "0"),
    "esnet": ("0", "1", "2", "3", "4"),
}
"""Values of each registered namespace, least to greatest (RFC 4412 section 10, RFC 7135 section 2)."""
PREEMPTING: Final = frozenset(("dsn", "drsn", "q735"))
"""Namespaces whose calls take resources from lesser ones; in the others they go ahead in queues."""


class ResourcePriority(NamedTuple):
    """One value, both parts in lower case."""

    namespace: str
    value: str

    @classmethod
    def parse(cls, text: str) -> ResourcePriority:
        """Parse `namespace.value`, known or not; raises SipRemoteError."""
        namespace, dot, value = text.strip().partition(".")
        # token-nodot (RFC 4412 section 3.1) is a token without dots
        if not dot or any("." in part or TOKEN.fullmatch(part) is None for part in (namespace, value)):
            raise SipRemoteError(f"not a resource priority (namespace.value): {text[:60]!r}")
        return cls(namespace.lower(), value.lower())

    @property
    def rank(self) -> int | None:
        """The place among its namespace's values, 0 the least; None where it is not known."""
        values = NAMESPACES.get(self.namespace, ())
        return values.index(self.value) if self.value in values else None

    def __str__(self) -> str:
        return f"{self.namespace}.{self.value}"


class Priority(StrEnum):
    """Values of the Priority header; RFC 3261's in their order, least first, and RFC 7090's."""

    NON_URGENT = "non-urgent"
    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"
    PSAP_CALLBACK = "psap-callback"


def resource_priorities_of(message: Message) -> list[ResourcePriority]:
    """What a request asks for, known or not, in its order. Raises SipRemoteError."""
    return [ResourcePriority.parse(value) for value in message.values(HEADER)]


def accepted_of(message: Message) -> list[ResourcePriority]:
    """What a response's Accept-Resource-Priority says is known. Raises SipRemoteError."""
    return [ResourcePriority.parse(value) for value in message.values(ACCEPT_HEADER)]


def granted(message: Message, namespaces: Iterable[str]) -> ResourcePriority | None:
    """The value by which a receiver that knows ``namespaces`` treats a request: the first that it knows.

    None where it knows none of them (or none is asked for). Raises SipRemoteError.
    """
    known = {name.lower() for name in namespaces}
    asked = resource_priorities_of(message)
    return next((each for each in asked if each.namespace in known and each.rank is not None), None)


def must_be_refused(message: Message, namespaces: Iterable[str]) -> bool:
    """Whether a request gets UNKNOWN_PRIORITY: it requires the extension, and no value is known (section 4.6.2).

    Raises SipRemoteError.
    """
    required = OPTION_TAG in message.options("require")
    return required and bool(resource_priorities_of(message)) and granted(message, namespaces) is None


def value_of(priorities: Iterable[ResourcePriority]) -> str:
    """The value of Resource-Priority that asks for all of them."""
    return ", ".join(map(str, priorities))


def accept_value(namespaces: Iterable[str]) -> str:
    """The value of Accept-Resource-Priority of one who knows ``namespaces``, all keys of NAMESPACES."""
    return ", ".join(f"{name}.{value}" for name in namespaces for value in NAMESPACES[name])


def priority_of(message: Message) -> Priority | None:
    """A request's Priority; None where there is none, or one that is not known, which reads as `normal`."""
    text = (message.get("priority") or "").strip().lower()
    return next((each for each in Priority if each == text), None)
