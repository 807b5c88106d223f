"""Texts by whatever way: one port that sends and gets them, by a GSM modem or by SMPP."""

from harness.endpoints.sms.modem_port import ModemPort
from harness.endpoints.sms.port import IncomingText, PermitText, SentText, TextPort, TextReport
from harness.endpoints.sms.smpp_port import SmppPort

__all__ = ["IncomingText", "ModemPort", "PermitText", "SentText", "SmppPort", "TextPort", "TextReport"]
