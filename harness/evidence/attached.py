"""The attachments of Allure's results, wherever in a test's steps, set-ups and tear-downs they hang."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def attachments_of(node: object) -> Iterator[dict[str, Any]]:
    """Yield each attachment of a loaded result or container as the file has it; what has another shape is passed by."""
    left = [node]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left += reversed(each)
        elif isinstance(each, dict):
            attached = each.get("attachments")
            yield from (one for one in attached if isinstance(one, dict)) if isinstance(attached, list) else ()
            left += (each.get("afters"), each.get("befores"), each.get("steps"))
