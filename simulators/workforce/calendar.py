"""Days of a zone: where they begin, and which quarter of which day a moment is in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harness.errors import LocalError, StaffingError

FIRST_YEAR, LAST_YEAR = 1971, 9000


class Days:
    """The calendar days of one zone."""

    def __init__(self, zone: str) -> None:
        """Raises LocalError where there is no such zone."""
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise LocalError(f"zone {zone!r} is not there: {error}") from error

    def bounds(self, day: date) -> tuple[int, int]:
        """When a day begins and ends, seconds since 1970. Raises StaffingError for one that is too far off."""
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise StaffingError(f"days are from {FIRST_YEAR} to {LAST_YEAR}, not in {day.year}")
        at = (datetime.combine(each, time(), self._zone) for each in (day, day + timedelta(days=1)))
        start, end = (int(each.timestamp()) for each in at)
        return start, end

    def place(self, start: int) -> tuple[int, int]:
        """Of which day (days since 1970) and which quarter of it, 0 to 95, an interval is."""
        local = datetime.fromtimestamp(start, UTC).astimezone(self._zone)
        return (local.date() - date(1970, 1, 1)).days, local.hour * 4 + local.minute // 15

    def day_of(self, moment: float) -> date:
        """The day that a moment is in."""
        return datetime.fromtimestamp(moment, UTC).astimezone(self._zone).date()
