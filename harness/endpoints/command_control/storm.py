"""A message link in STORM's place: numbered messages in batches, each an EIDO, and news by a cursor.

STORM's own link is not public. This is our stand-in (docs/interfaces/command-control.md); a vendor's takes its place
as a dialect of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from harness.endpoints.command_control.outbox import Kept
from harness.endpoints.command_control.telling import News, Outcome, Telling, listing, mapping, text
from harness.errors import CommandControlError

MAX_NEWS: Final = 500
"""News of one answer."""


class Storm:
    """The dialect ``storm``."""

    most = 100

    def telling(self, entries: Sequence[Kept]) -> Telling:
        messages = [
            {
                "key": kept.key,
                "sequence": kept.number,
                "type": kept.entry.kind,
                "about": kept.entry.about,
                "eido": kept.entry.body,
            }
            for kept in entries
        ]
        return Telling("POST", "/storm/v1/messages", {"messages": messages})

    def outcomes(self, entries: Sequence[Kept], status: int, body: Any) -> list[Outcome]:
        if status != 200:
            raise CommandControlError(f"messages were answered {status}: {str(body)[:200]}")
        results = listing(mapping(body, "answer").get("results"), "results", len(entries))
        found = []
        for kept, result in zip(entries, results, strict=False):
            if result.get("key") != kept.key:
                raise CommandControlError(f"the answer is of {result.get('key')!r}, {kept.key!r} was told")
            said = result.get("status")
            if said not in ("accepted", "duplicate", "rejected"):
                raise CommandControlError(f"{kept.key}: the unknown status {str(said)[:40]!r}")
            found.append(
                Outcome(
                    said != "rejected",
                    reference=text(result.get("reference", ""), "reference"),
                    reason=text(result.get("reason", ""), "reason"),
                    repeated=said == "duplicate",
                )
            )
        return found

    def asking(self, cursor: str) -> Telling:
        return Telling("GET", f"/storm/v1/news?after={cursor or '0'}")

    def news(self, body: Any) -> tuple[list[News], str]:
        tree = mapping(body, "news")
        found = []
        for each in listing(tree.get("news"), "news", MAX_NEWS):
            kind, about = text(each.get("type"), "type"), text(each.get("about"), "about")
            found.append(News(kind, about, mapping(each.get("data"), "data")))
        return found, text(tree.get("cursor"), "cursor")
