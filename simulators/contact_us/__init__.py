"""A simulated Contact Us system: a form, a REST intake and a mailbox, in front of CRM and command and control."""

from simulators.contact_us.crm_queue import CrmAt
from simulators.contact_us.incidents import CommandControlAt
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator

__all__ = ["CommandControlAt", "ContactUsSettings", "ContactUsSimulator", "CrmAt"]
