"""Where an access token comes from: an environment variable or the system's keyring, never a file of the project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from typing import Final

from harness.errors import WebexError

KEYRING_SERVICE: Final = "iccs-webex"
"""Under which name the keyring has them; the user is the variable's name."""


def token_from(variable: str) -> str:
    """The token in the environment's ``variable``, else in the keyring under that name. Raises WebexError."""
    token = next(tokens_from(variable), None)
    if token is None:
        raise WebexError(
            f"no access token for Webex: set {variable} in the environment, or put it into the keyring with "
            f"'keyring set {KEYRING_SERVICE} {variable}' (PyPI keyring)"
        )
    return token


def tokens_from(variable: str) -> Iterator[str]:
    """The environment's token, then the keyring's where that is another: it may be newer. Raises WebexError."""
    told = os.environ.get(variable, "").strip()
    if told:
        yield told
    kept = _from_keyring(variable)
    if kept and kept != told:
        yield kept


def _from_keyring(variable: str) -> str:
    try:
        keyring = import_module("keyring")
    except ImportError:  # it is not there by default; the environment serves everywhere
        return ""
    try:
        return str(keyring.get_password(KEYRING_SERVICE, variable) or "").strip()
    except Exception as error:  # each system's keyring has errors of its own
        raise WebexError(f"the keyring can't be asked for {variable}: {type(error).__name__}") from error
