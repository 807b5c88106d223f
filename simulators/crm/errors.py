"""What the CRM refuses, by the answer that it gives."""

from __future__ import annotations

from harness.errors import LocalError


class RefusedError(LocalError):
    """It can't be done as things are now: 409."""


class UnknownError(RefusedError):
    """There is no such contact, record, task, merge or import: 404."""


class UnfitError(RefusedError):
    """What was given can't be right, now or ever: 422."""
