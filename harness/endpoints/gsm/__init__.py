"""GSM modems on a line: the modem that a simulator plays, and the equipment that drives one."""

from harness.endpoints.gsm.equipment import ModemLine
from harness.endpoints.gsm.modem import Modem

__all__ = ["Modem", "ModemLine"]
