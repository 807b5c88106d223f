"""Who asks, and why: the headers without which no look at personal data is given."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Query, Request, status
from pydantic import Field

from simulators.crm.audit import Who

USER: Final = "X-User"
REASON: Final = "X-Reason"
MAX_USER: Final = 64
MAX_REASON: Final = 200
_PRINTABLE: Final = r"^[!-~]([ -~]*[!-~])?$"
_FITS: Final = re.compile(_PRINTABLE, re.ASCII)
LOOKS: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": told,
            "schema": {"type": "string", "minLength": 1, "maxLength": most, "pattern": _PRINTABLE},
        }
        for name, most, told in (
            (USER, MAX_USER, "Who looks, printable ASCII; it stands in the audit."),
            (REASON, MAX_REASON, "Why, printable ASCII; it stands in the audit."),
        )
    ]
}
"""What a route tells of these headers in the OpenAPI document."""
After = Annotated[int, Query(ge=0, le=2**53 - 1, description="Only what is numbered above.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Key = Annotated[str, Field(min_length=1, max_length=128, pattern=_PRINTABLE)]
"""What a request is known by when it is told again."""


async def _who(request: Request) -> Who:
    return Who(_header(request, USER, MAX_USER), _header(request, REASON, MAX_REASON))


def _header(request: Request, name: str, most: int) -> str:
    value = request.headers.get(name, "").strip()
    if not value:
        raise HTTPException(
            status.HTTP_400_BAD_REQUEST, f"{name} is missing: personal data is shown to whoever says who looks and why"
        )
    if len(value) > most or _FITS.match(value) is None:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, f"{name} is not 1 to {most} printable ASCII characters")
    return value


Looking = Annotated[Who, Depends(_who)]
"""Who looks; 400 where the headers do not say."""
