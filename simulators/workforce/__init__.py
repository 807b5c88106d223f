"""Workforce management in Calabrio's place: takes the ICCS's feeds, forecasts, staffs, tells adherence."""

from simulators.workforce.intake import Source
from simulators.workforce.settings import WorkforceSettings
from simulators.workforce.simulator import WorkforceSimulator

__all__ = ["Source", "WorkforceSettings", "WorkforceSimulator"]
