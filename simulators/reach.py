"""Who reaches an interface: this machine alone, or others, who need a token."""

from __future__ import annotations

import ipaddress

from harness.errors import LocalError


def need_token(whose: str, host: str, token: object, *, key: str = "token") -> None:
    """Raise LocalError where ``whose`` interface would be reached from beyond this machine without a token.

    ``key``: what the settings call it.
    """
    if token is None and not is_loopback(host):
        raise LocalError(f"{whose} on {host} needs {key!r}: only loopback goes without")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
