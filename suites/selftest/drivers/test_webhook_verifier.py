"""Webhooks as their receiver checks them: signed, unchanged, new."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from harness.endpoints.webex import WebhookVerifier
from harness.errors import WebhookRefusedError

SECRET, NOW = "s3cret", 1_767_225_600.0
AT = "2026-01-01T00:00:00.000Z"


def signed(told: Any, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return {"x-spark-signature": hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}, body


def event(**data: Any) -> dict[str, Any]:
    return {"resource": "messages", "event": "created", "data": {"id": "M1", "created": AT} | data}


def verifier(now: float = NOW) -> WebhookVerifier:
    return WebhookVerifier(SECRET, lambda: now)


def test_what_is_signed_and_new_is_taken_once() -> None:
    checks = verifier()
    assert checks.take(*signed(event()))["data"]["id"] == "M1"
    assert checks.take(*signed(event(id="M2")))["data"]["id"] == "M2"
    with pytest.raises(WebhookRefusedError, match="taken already"):
        checks.take(*signed(event()))


def test_what_is_unsigned_changed_or_of_another_secret_is_refused_and_does_not_count_as_taken() -> None:
    checks = verifier()
    headers, body = signed(event())
    for given in ({}, {"x-spark-signature": ""}, signed(event(), "other")[0], {"x-spark-signature": "\udcff"}):
        with pytest.raises(WebhookRefusedError, match="signed"):
            checks.take(given, body)
    with pytest.raises(WebhookRefusedError, match="signed otherwise"):
        checks.take(headers, body.replace(b"M1", b"M9"))
    checks.take(headers, body)


@pytest.mark.parametrize("off", [301.0, -301.0])
def test_what_is_old_or_of_the_future_is_refused(off: float) -> None:
    with pytest.raises(WebhookRefusedError, match="s old"):
        verifier(NOW + off).take(*signed(event()))
    verifier(NOW + off - 2 if off > 0 else NOW + off + 2).take(*signed(event()))


def test_a_deletion_tells_no_time_and_is_known_by_what_it_says() -> None:
    checks, told = verifier(NOW + 86_400), event() | {"event": "deleted"}
    checks.take(*signed(told))
    with pytest.raises(WebhookRefusedError, match="taken already"):
        checks.take(*signed(told))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"1", b'{"data": 1}', b'{"event": "created", "data": {"created": "now"}}', b"[" * 100_000],
)
def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefusedError, match="no event"):
        verifier().take(*signed(body))
