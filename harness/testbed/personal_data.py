"""Looks through test data for what may be somebody's: telephone numbers and mail addresses that nobody has reserved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from harness.privacy import is_reserved_domain, mask_text

_MAIL: Final = re.compile(r"[\w.+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")


class Finding(NamedTuple):
    """What may be personal data."""

    path: Path
    line: int
    """From 1."""
    what: str
    """In words, masked."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def may_be_somebodys(path: Path) -> Iterator[Finding]:
    """Yield what stands in a text file that may be a real person's: a number that is not one of Ofcom's for tests, a
    handset's identity, a mail address outside the domains of RFC 2606.

    Names of people and places can't be told apart from invented ones, and are not looked at. Raises OSError, and
    UnicodeDecodeError for a file that is not UTF-8.
    """
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        masked = mask_text(text)
        if masked != text:
            yield Finding(path, number, f"a number, identity or key that is not for tests: {masked.strip()}")
        for found in _MAIL.finditer(text):
            if not is_reserved_domain(found[1]):
                yield Finding(path, number, f"a mail address at {found[1]}, which is not reserved for tests")
