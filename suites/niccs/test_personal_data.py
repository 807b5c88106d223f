"""No real person's data are tested with: testbed files, scenarios and exports hold what is reserved for tests alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pytest_plugin import DEFAULT_TESTBED, requirement
from harness.testbed.personal_data import may_be_somebodys

SCENARIOS = DEFAULT_TESTBED.parents[1] / "scenarios"
MIGRATION = DEFAULT_TESTBED.parents[1] / "migration"


@requirement("NFR-012")
def test_testbed_and_scenarios_hold_no_number_or_address_that_may_be_somebodys(pytestconfig: pytest.Config) -> None:
    """Numbers are Ofcom's for tests, mail addresses of the domains of RFC 2606. Names are for a person to look at."""
    testbed = Path(pytestconfig.getoption("--testbed") or DEFAULT_TESTBED)
    files = [testbed, *DEFAULT_TESTBED.parent.glob("*.yaml"), *SCENARIOS.glob("*.yaml"), *MIGRATION.glob("*.json")]
    found = [str(each) for path in dict.fromkeys(files) for each in may_be_somebodys(path)]
    assert found == []
