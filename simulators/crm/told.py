"""Requests with an Idempotency-Key: told again, they are answered as they were and do nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel
from sqlalchemy.orm import Session

from simulators.crm.errors import RefusedError
from simulators.crm.tables import Told

What = Literal["record", "task"]


def before(session: Session, what: What, key: str, body: BaseModel) -> int | None:
    """The number of what was made when this was told before. Raises RefusedError for a key with another body."""
    found = session.get(Told, (what, key))
    if found is None:
        return None
    if found.digest != _digest(body):
        raise RefusedError(f"the Idempotency-Key of this {what} came with another body before")
    return found.answer


def keep(session: Session, what: What, key: str, body: BaseModel, answer: int) -> None:
    """Keep what was made."""
    session.add(Told(what=what, key=key, digest=_digest(body), answer=answer))


def _digest(body: BaseModel) -> str:
    return hashlib.sha256(json.dumps(body.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
