"""Puts this folder on the import path, so that its tests can share a control room; looks at what consoles are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.iccs import positions


@pytest.fixture(autouse=True)
def every_event_is_like_its_model(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a console was told what has no model, or is unlike it (decision 249)."""
    complaints: list[str] = []
    looked = positions.unlike

    def noted(kind: str, data: dict[str, Any]) -> str:
        if told := looked(kind, data):
            complaints.append(told)
        return told

    monkeypatch.setattr(positions, "unlike", noted)
    yield
    if request.node.get_closest_marker("unlike_on_purpose") is None:
        assert not complaints
