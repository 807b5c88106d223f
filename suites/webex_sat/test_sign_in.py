"""Who works with Webex signs in once, with a password and a second factor, in time; and nobody does without both."""

from __future__ import annotations

import pytest

from harness.drivers.webex import ADMINISTRATOR, Webex
from harness.errors import SignInRefusedError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex")
SIGNED_IN_S = catalogue()["WBX-001"].figure("signed_in_s").value
BOTH = ("password", "one-time code")
LOCKED_S = 300.0


async def refused(webex: Webex, why: str, account: str = "operator", **given: object) -> None:
    """An account is not let in, for this reason."""
    with pytest.raises(SignInRefusedError, match=why):
        await webex.sign_in(account, **given)  # type: ignore[arg-type]


@requirement("WBX-001")
async def test_an_operator_is_in_by_password_and_second_factor_in_time(bench: Bench) -> None:
    webex = await bench.webex()
    for _time in range(3):
        entry = await webex.sign_in("operator")
        bench.measured("signed_in", entry.seconds, "s", requirement="WBX-001", figure="signed_in_s")
        assert entry.factors == BOTH, "somebody was let in without a second factor"
        assert entry.seconds <= SIGNED_IN_S


@requirement("WBX-001")
async def test_nobody_is_in_by_a_wrong_password_or_code_or_without_a_second_factor(bench: Bench) -> None:
    webex = await bench.webex()
    await refused(webex, "address or the password is wrong", password="guess")
    await refused(webex, "code is wrong", code="000000")
    await refused(webex, "code is wrong", code="")
    await refused(webex, "code is wrong, has expired", code_age_s=90)
    await refused(webex, "this account has none", account="newcomer")
    assert (await webex.sign_in("operator")).factors == BOTH
    await refused(webex, "used before", replay=True)
    assert (await webex.sign_in("operator")).factors == BOTH, "who was refused once is shut out"


async def test_who_tries_too_often_is_locked_out_for_a_time_and_a_leaver_for_good(bench: Bench) -> None:
    webex = await bench.webex()
    for _time in range(5):
        await refused(webex, "password is wrong", password="guess")
    await refused(webex, "locked")
    await bench.time_passes(LOCKED_S)
    assert (await webex.sign_in("operator")).factors == BOTH
    assert (await webex.sign_in("leaver")).factors == BOTH
    await webex.deactivate("leaver", by=ADMINISTRATOR)
    try:
        await refused(webex, "lets nobody in: access_denied", account="leaver")
    finally:
        await webex.reactivate("leaver", by=ADMINISTRATOR)
    assert (await webex.sign_in("leaver")).factors == BOTH
