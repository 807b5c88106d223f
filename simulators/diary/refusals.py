"""Why the Diary refuses what it was asked, each with the HTTP status that tells it."""

from __future__ import annotations

from typing import ClassVar

from harness.errors import LocalError


class RefusedError(LocalError):
    """What was asked can't be done."""

    status: ClassVar[int] = 409


class NotThereError(RefusedError):
    """There is no such diary, appointment or task."""

    status = 404


class UnfitError(RefusedError):
    """What was asked makes no sense, whenever it is asked."""

    status = 422


class TakenError(RefusedError):
    """Somebody else has the slot."""


class RiskError(RefusedError):
    """The record's risk is too high, or not known well enough, for anybody to wait for an appointment."""


class UnaskedError(RefusedError):
    """The CRM could not be asked; it can be asked again."""

    status = 503


class FullError(RefusedError):
    """The Diary takes no more."""

    status = 507
