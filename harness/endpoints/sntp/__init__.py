"""SNTP over UDP: a responder that tells a clock, and questions that measure one."""

from harness.endpoints.sntp.question import Clock, ask_clock
from harness.endpoints.sntp.responder import SntpResponder

__all__ = ["Clock", "SntpResponder", "ask_clock"]
