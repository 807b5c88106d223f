"""A simulated CRM: contacts, vulnerability markers, records and their THRIVE grading, tasks, an access audit."""

from simulators.crm.settings import CrmSettings
from simulators.crm.simulator import CrmSimulator

__all__ = ["CrmSettings", "CrmSimulator"]
