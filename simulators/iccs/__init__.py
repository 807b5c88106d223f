"""The ICCS simulator: switch, operator positions, radio desk and their control interface."""

from simulators.iccs.command_desk import CommandControlAt
from simulators.iccs.radio_desk import GatewayLine
from simulators.iccs.radio_services.network import RadioControl
from simulators.iccs.radio_services.services import RadioSurroundings
from simulators.iccs.radio_services.units import StatusMeaning
from simulators.iccs.services_at import ServiceAt, ServicesAt
from simulators.iccs.settings import IccsSettings
from simulators.iccs.simulator import IccsSimulator

__all__ = [
    "CommandControlAt",
    "GatewayLine",
    "IccsSettings",
    "IccsSimulator",
    "RadioControl",
    "RadioSurroundings",
    "ServiceAt",
    "ServicesAt",
    "StatusMeaning",
]
