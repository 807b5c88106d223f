"""Radio over IP (ED-137) on the wire: the control room's end of a radio session, and the radio's."""

from harness.endpoints.ed137.control_room import ControlRoom
from harness.endpoints.ed137.radio import Offered, accept, read_offer
from harness.endpoints.ed137.reception import StreamStats
from harness.endpoints.ed137.stream import RadioStream

__all__ = ["ControlRoom", "Offered", "RadioStream", "StreamStats", "accept", "read_offer"]
