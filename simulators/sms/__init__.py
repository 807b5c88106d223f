"""The simulated SMS network: handsets, a modem on a serial line, and a service centre that speaks SMPP 3.4."""

from simulators.sms.settings import SmsSettings
from simulators.sms.simulator import SmsSimulator

__all__ = ["SmsSettings", "SmsSimulator"]
