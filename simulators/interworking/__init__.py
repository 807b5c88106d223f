"""The interworking gateway simulator: TETRA talkgroups and MCPTT groups joined, as while both networks are in use."""

from simulators.interworking.gateway import InterworkingGateway
from simulators.interworking.join import TetraEnd
from simulators.interworking.settings import InterworkingSettings, JoinSettings, loop_in

__all__ = ["InterworkingGateway", "InterworkingSettings", "JoinSettings", "TetraEnd", "loop_in"]
