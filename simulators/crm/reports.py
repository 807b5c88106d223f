"""The report on failure demand: contacts that would not have been made, had it been done right the first time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from simulators.crm.tables import Record

NOT_CODED: Final = "not_coded"
NO_FAILURE: Final = "none"
"""The code of demand that is no failure of ours."""
COLUMNS: Final = ("code", "means", "channel", "contacts")


def failure_demand(
    session: Session, codes: Mapping[str, str], begins: float | None, ends: float | None
) -> dict[str, Any]:
    """Contacts by code and channel that were received from ``begins`` to before ``ends``, seconds since 1970."""
    query = select(Record.failure_demand, Record.channel, func.count()).group_by(Record.failure_demand, Record.channel)
    if begins is not None:
        query = query.where(Record.received >= begins)
    if ends is not None:
        query = query.where(Record.received < ends)
    means = {**codes, NO_FAILURE: "no failure of ours", NOT_CODED: "nobody has said yet"}
    counts = [(code or NOT_CODED, channel, count) for code, channel, count in session.execute(query)]
    coded = sum(count for code, _channel, count in counts if code != NOT_CODED)
    failures = sum(count for code, _channel, count in counts if code not in (NOT_CODED, NO_FAILURE))
    return {
        "contacts": sum(count for _code, _channel, count in counts),
        "coded": coded,
        "failure_demand": failures,
        "share_of_coded": round(failures / coded, 4) if coded else None,
        "rows": [
            {"code": code, "means": means.get(code, ""), "channel": channel, "contacts": count}
            for code, channel, count in sorted(counts)
        ],
    }
