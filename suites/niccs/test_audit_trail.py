"""The audit trail: who did what and why is in it, and an alteration is detected."""

from __future__ import annotations

import json

import pytest

from harness.errors import AuditChainError, DriverError
from harness.protocols.audit_chain import head_before, verified
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench


async def acted(bench: Bench) -> list[bytes]:
    """The trail after a few acts, the last of them a look at personal data and one that is refused."""
    dispatcher, colleague = await bench.console("govan-31"), await bench.console("govan-32")
    incident = await dispatcher.open_incident("Vehicle stop")
    await dispatcher.check_records(incident, reason="stopped by a patrol", registration="QI00 TST")
    with pytest.raises(DriverError, match="no right to ambience"):
        await colleague.begin_ambience(bench.issi("officer"), "not-the-password")
    return await (await bench.supervisor()).audit_trail()


@requirement("NICCS-AUD-001")
async def test_a_look_at_personal_data_is_in_the_trail_with_who_when_and_why(bench: Bench) -> None:
    trail = [json.loads(line) for line in await acted(bench)]
    look = [entry for entry in trail if entry["act"] == "records_check"][-1]
    assert (look["position"], look["outcome"], look["why"]) == ("govan-31", "done", "stopped by a patrol")
    assert look["time"].endswith("Z")
    refused = [entry for entry in trail if entry["act"] == "ambience"][-1]
    assert (refused["position"], refused["outcome"]) == ("govan-32", "refused")
    assert "no right" in refused["reason"]


@requirement("NICCS-AUD-002")
async def test_an_alteration_of_the_trail_is_detected(bench: Bench) -> None:
    trail = await acted(bench)
    start = head_before(trail[0])
    head = verified(trail, start=start)
    at = max(number for number, line in enumerate(trail) if b'"records_check"' in line)
    altered = [*trail[:at], trail[at].replace(b"a patrol", b"a friend"), *trail[at + 1 :]]
    with pytest.raises(AuditChainError, match=f"line {at + 1}: it was changed"):
        verified(altered, start=start)
    with pytest.raises(AuditChainError, match=f"line {at + 1}: it should be number"):
        verified([*trail[:at], *trail[at + 1 :]], start=start)
    with pytest.raises(AuditChainError, match="the last ones were taken away"):
        verified(trail[:-1], start=start, noted=[head])
