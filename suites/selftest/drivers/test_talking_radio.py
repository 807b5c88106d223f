"""Every radio's driver does what a talking radio can do, and what its technology lacks is told with the reason."""

from __future__ import annotations

import inspect

import pytest

from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.roip_radio import RoipRadio
from harness.drivers.talking_radio import LACKS, NOT_PLAYED, Ability, TalkingRadio, Technology, needs
from harness.errors import NotApplicableError, NotPlayedError

DRIVERS = {Technology.TETRA: RadioTerminal, Technology.ROIP: RoipRadio, Technology.MCPTT: McpttRadio}
METHODS = [name for name, each in vars(TalkingRadio).items() if inspect.iscoroutinefunction(each)]


def _meets_the_protocol(tetra: RadioTerminal, roip: RoipRadio, mcptt: McpttRadio) -> list[TalkingRadio]:
    """For mypy, which checks that each driver is one."""
    return [tetra, roip, mcptt]


@pytest.mark.parametrize("technology", Technology)
@pytest.mark.parametrize("method", METHODS)
def test_a_driver_takes_what_the_protocol_names(technology: Technology, method: str) -> None:
    asked = inspect.signature(getattr(TalkingRadio, method)).parameters
    taken = inspect.signature(getattr(DRIVERS[technology], method)).parameters
    assert inspect.iscoroutinefunction(getattr(DRIVERS[technology], method))
    assert set(asked) <= set(taken)
    more = [each for name, each in taken.items() if name not in asked]
    assert all(each.default is not inspect.Parameter.empty for each in more)


def test_each_technology_has_one_driver() -> None:
    assert set(DRIVERS) == set(LACKS) == set(Technology)
    assert all(driver.technology is technology for technology, driver in DRIVERS.items())
    assert "key" in METHODS


@pytest.mark.parametrize("technology", Technology)
@pytest.mark.parametrize("ability", Ability)
def test_what_is_lacked_or_not_played_is_told_with_the_reason_and_the_rest_is_asked(
    technology: Technology, ability: Ability
) -> None:
    why = LACKS[technology].get(ability)
    left = NOT_PLAYED[technology].get(ability)
    if why is None and left is None:
        needs(technology, ability)
        return
    with pytest.raises((NotApplicableError, NotPlayedError)) as found:
        needs(technology, ability)
    told = f"not applicable: {technology} cannot {ability}: {why}"
    assert str(found.value) == (told if why else f"not played: that {technology} can {ability} is not shown: {left}")


def test_what_the_harness_does_not_play_is_no_limit_of_the_technology() -> None:
    assert set(NOT_PLAYED) == set(Technology)
    assert not [(each, ability) for each in Technology for ability in NOT_PLAYED[each] if ability in LACKS[each]]


def test_every_ability_is_one_that_some_technology_has() -> None:
    assert all(any(ability not in lacked for lacked in LACKS.values()) for ability in Ability)
