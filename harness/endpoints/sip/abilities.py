"""What a user agent says that it can do, and does: methods, extensions, timers. One value for each agent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from harness.errors import SipLocalError

METHODS_SERVED: Final = (
    *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE"),
    *("INFO", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE"),
)
"""All that the engine can serve."""
NEEDED: Final = frozenset(("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"))
"""What no agent can do without."""
LEAST_MIN_SE: Final = 90
"""Seconds: RFC 4028 §4 forbids shorter sessions."""


class Reliable(StrEnum):
    """How provisional responses are made reliable (RFC 3262)."""

    OFF = "off"
    """100rel is not offered, and refused where it is required."""
    SUPPORTED = "supported"
    """Where the peer asks for it, or for a provisional response that carries a session description."""
    REQUIRED = "required"
    """Required of those whom we call, and used with all who can."""


@dataclass(frozen=True)
class Abilities:
    """What one agent can do. Taking something away makes it the older, or poorer, equipment that a test needs."""

    methods: tuple[str, ...] = METHODS_SERVED
    """Methods served, as Allow tells them; any other gets 405."""
    reliable: Reliable = Reliable.SUPPORTED
    timers: bool = True
    """Session timers (RFC 4028) are understood."""
    session_expires: int = 0
    """Seconds of the session timer that we ask for; 0: only where the peer asks."""
    min_se: int = LEAST_MIN_SE
    """Seconds below which a peer's session timer gets 422."""
    replaces: bool = True
    """Replaces (RFC 3891) is understood."""
    redirects: int = 0
    """How many targets of 3xx answers one call of ours tries (§8.1.3.4); 0: a 3xx ends the call."""
    info_packages: tuple[str, ...] = ()
    """INFO packages that we are willing to receive (RFC 6086)."""
    resource_priorities: tuple[str, ...] = ()
    """Resource-Priority namespaces that we know (RFC 4412), lower case, such as `esnet` or `q735`."""
    demands: tuple[str, ...] = ()
    """Option tags that an INVITE must list as supported; one that does not gets 421 (§21.4.15)."""
    software: str = ""
    """User-Agent and Server; empty: not told."""

    def __post_init__(self) -> None:
        """Raises SipLocalError on values that no agent can have."""
        if missing := sorted(NEEDED - set(self.methods)):
            raise SipLocalError(f"an agent serves {', '.join(missing)} in any case")
        if unknown := sorted(set(self.methods) - set(METHODS_SERVED)):
            raise SipLocalError(f"the engine can't serve {', '.join(unknown)}")
        if self.min_se < LEAST_MIN_SE or 0 < self.session_expires < self.min_se:
            raise SipLocalError(f"a session timer is {LEAST_MIN_SE} s or more, and not below min_se")
        if self.session_expires and not self.timers:
            raise SipLocalError("session_expires asks for session timers, and timers says that there are none")
        if self.reliable is Reliable.REQUIRED and "PRACK" not in self.methods:
            raise SipLocalError("reliable provisional responses are required, and PRACK is not served")

    @cached_property
    def supported(self) -> frozenset[str]:
        """Option tags that a Require may name."""
        tags = {"norefersub"} if "REFER" in self.methods else set()
        if self.reliable is not Reliable.OFF and "PRACK" in self.methods:
            tags.add("100rel")
        if self.timers:
            tags.add("timer")
        if self.replaces:
            tags.add("replaces")
        if self.resource_priorities:
            tags.add("resource-priority")
        return frozenset(tags)

    @cached_property
    def server(self) -> list[tuple[str, str]]:
        """The Server header of answers, where software is told."""
        return [("Server", self.software)] if self.software else []

    @cached_property
    def user_agent(self) -> list[tuple[str, str]]:
        """The User-Agent header of requests, where software is told."""
        return [("User-Agent", self.software)] if self.software else []

    @cached_property
    def headers(self) -> list[tuple[str, str]]:
        """What requests and answers that make a dialog tell of us, beside Contact and Allow."""
        told = [("Supported", ", ".join(sorted(self.supported)))]
        if self.info_packages:
            told.append(("Recv-Info", ", ".join(self.info_packages)))
        return told
