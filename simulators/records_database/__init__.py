"""A simulated records database: invented people and vehicles, checks with a reason, and an audit of each."""

from simulators.records_database.settings import RecordsSettings
from simulators.records_database.simulator import RecordsSimulator

__all__ = ["RecordsSettings", "RecordsSimulator"]
