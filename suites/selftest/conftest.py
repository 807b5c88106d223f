"""The stores that tests use; this folder is on the import path, so that tests can say `from witness import need`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.postgresql import PostgresqlServer, postgresql_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    """A server for the tests of one module."""
    with postgresql_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store is made, of each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite")
    made: PostgresqlServer = request.getfixturevalue("server")
    return made.database(f"d{abs(hash(request.node.nodeid)) % 10**9}")
