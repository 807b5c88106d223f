"""Workforce management in Calabrio's place: takes the ICCS's feeds, forecasts, staffs, holds schedules against states."""

from simulators.workforce.settings import WorkforceSettings
from simulators.workforce.simulator import Source, WorkforceSimulator

__all__ = ["Source", "WorkforceSettings", "WorkforceSimulator"]
