"""Who takes webhooks of Webex: believes those that are signed and new, and does nothing twice."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from harness.endpoints.sntp import Clock
from harness.errors import WebhookRefusedError

SIGNATURE: Final = "x-spark-signature"
"""The header with the hexadecimal HMAC-SHA1 of the body under the webhook's secret, in lower case."""
MAX_KEPT: Final = 10_000
"""Bodies that are known again; of more the oldest are forgotten, which ``oldest_s`` then has to keep out."""
MAX_BODY: Final = 1_000_000
OLDEST_S: Final = 300.0


class WebhookVerifier:
    """Checks what comes to one webhook's address.

    Webex tries a delivery again that was not taken, with the same body: such a one, and one that somebody recorded and
    sends again, has been taken already. An event that tells when it was is refused once it is old, seen or not.
    """

    def __init__(self, secret: str, clock: Clock, *, oldest_s: float = OLDEST_S) -> None:
        """``secret``: the webhook's; ``clock``: seconds since 1970; ``oldest_s``: seconds that an event may be old."""
        self._secret, self._clock, self._oldest_s = secret.encode(), clock, oldest_s
        self._taken: dict[bytes, None] = {}

    def take(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Return what a delivery says. ``headers``: by lower-case names.

        Raises WebhookRefusedError for one that is not signed, signed with another secret, changed, old, or taken
        already.
        """
        if len(body) > MAX_BODY:
            raise WebhookRefusedError(f"a delivery has {MAX_BODY} bytes at most, and this one has {len(body)}")
        signed = hmac.new(self._secret, body, hashlib.sha1).hexdigest()
        given = headers.get(SIGNATURE, "")
        if not hmac.compare_digest(signed.encode(), given.encode("utf-8", "replace")):
            raise WebhookRefusedError(f"the delivery is {'signed otherwise' if given else 'not signed'}")
        try:
            told = json.loads(body)
            happened = _moment(told)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
            raise WebhookRefusedError(f"the delivery is signed, and no event of Webex: {error}") from error
        age = 0.0 if happened is None else self._clock() - happened
        if abs(age) > self._oldest_s:
            raise WebhookRefusedError(f"the event is {age:.0f} s old; {self._oldest_s:g} s are allowed")
        digest = hashlib.sha256(body).digest()
        if digest in self._taken:
            raise WebhookRefusedError("the delivery was taken already")
        self._taken[digest] = None
        if len(self._taken) > MAX_KEPT:
            del self._taken[next(iter(self._taken))]
        result: dict[str, Any] = told
        return result


def _moment(told: dict[str, Any]) -> float | None:
    """When it happened, seconds since 1970; None where the event does not tell: of a deletion, say."""
    data = told["data"]
    # The envelope's own time is that of the webhook's creation.
    name = {"created": "created", "updated": "updated"}.get(str(told["event"]), "")
    written = data.get("eventTimestamp", data.get(name))
    return None if written is None else datetime.fromisoformat(str(written)).timestamp()
