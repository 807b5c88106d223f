"""Every radio's driver does what a talking radio can do, and what its technology lacks is told with the reason."""

from __future__ import annotations

import inspect

import pytest

from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.roip_radio import RoipRadio
from harness.drivers.talking_radio import LACKS, Ability, TalkingRadio, Technology, needs
from harness.errors import NotApplicableError

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
def test_what_is_lacked_is_not_applicable_with_the_reason_and_the_rest_is_asked(
    technology: Technology, ability: Ability
) -> None:
    why = LACKS[technology].get(ability)
    if why is None:
        needs(technology, ability)
        return
    with pytest.raises(NotApplicableError) as found:
        needs(technology, ability)
    assert str(found.value) == f"not applicable: {technology} cannot {ability}: {why}"


def test_every_ability_is_one_that_some_technology_has() -> None:
    assert all(any(ability not in lacked for lacked in LACKS.values()) for ability in Ability)
