"""A simulated terminal: PEI on a serial line, an audio jack, an identity the network knows."""

from __future__ import annotations

from collections.abc import Callable

from harness.endpoints.media import MediaPort, MediaService
from harness.endpoints.pei import MobileTerminal
from harness.protocols.pei.codes import Registration, ServiceMode
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.pei.personality import PERSONALITIES
from harness.protocols.pei.requests import Request
from harness.protocols.pei.unsolicited import NetworkRegistration
from harness.protocols.tetra.identity import Tsi
from harness.transport.context import Context
from simulators.radio.config import RadioConfig, TerminalConfig

FIRST_LOCATION_AREA = 1001
"""The first site's; each further site has the next."""


class SimulatedTerminal:
    """One terminal as the network sees it."""

    def __init__(self, config: TerminalConfig, machine: MobileTerminalMachine, location_area: int) -> None:
        self.config = config
        self.name = config.name
        self.machine = machine
        self.digits = machine.identity.digits
        """Its TSI."""
        self.jack: MediaPort | None = None
        """Its loudspeaker and microphone; None where the run has no media."""
        self.call: tuple[int, int] | None = None
        """Key (a group's GSSI, a private call's caller) and instance of the one call its transceiver is in."""
        self.disabled = False
        """Whether the network has disabled it, which it may not know yet."""
        self.location_area = location_area
        self._pei: MobileTerminal

    @classmethod
    async def start(
        cls,
        context: Context,
        media: MediaService | None,
        network: RadioConfig,
        config: TerminalConfig,
        requested: Callable[[SimulatedTerminal, Request], None],
        *,
        virtual: bool,
    ) -> SimulatedTerminal:
        """Offer the serial line and the audio jack. Raises TransportError or MediaError."""
        tsi = Tsi(network.mcc, network.mnc, config.issi)
        selected = None if config.talkgroup is None else network.talkgroups[config.talkgroup]
        personality = PERSONALITIES[config.personality]
        machine = MobileTerminalMachine(tsi, network.talkgroups, selected=selected, personality=personality)
        terminal = cls(config, machine, FIRST_LOCATION_AREA + network.sites.index(config.site))
        terminal._pei = await MobileTerminal.offer(
            context,
            config.name,
            terminal.machine,
            lambda request: requested(terminal, request),
            baud=config.baud,
            virtual=virtual,
        )
        if media is not None:
            terminal.jack = await media.open_port(f"{config.name} speaker", port=config.audio_port)
            # Symmetric: whoever is plugged in sends first, and is sent to.
            await terminal.jack.connect(None, dtmf_payload_type=None, rests=True)
        if config.registered:
            # Registered before anybody listens: nothing is written to a line that no one has opened yet.
            terminal.machine.registration = terminal._home()
        return terminal

    @property
    def url(self) -> str:
        """Its serial line."""
        return self._pei.url

    @property
    def registered(self) -> bool:
        """Whether the network can reach it."""
        known = self.machine.registration.state in (Registration.HOME, Registration.VISITED)
        return known and self.machine.mode != ServiceMode.DMO

    def tell(self, code: Unsolicited) -> bool:
        """Hand on what the network did; False where the terminal's call is not in a state for it."""
        return self._pei.tell(code)

    def _home(self) -> NetworkRegistration:
        return NetworkRegistration(Registration.HOME, self.location_area, self.machine.identity.mni)

    @property
    def may_register(self) -> bool:
        """Whether it is in coverage, up, and not disabled."""
        return self.config.registered and not self.machine.rebooting and not self.disabled

    def register(self) -> None:
        """It registers, which its line tells."""
        self.tell(self._home())

    def booted(self, codeplug_group: int | None) -> None:
        """It is up again after a reboot, and registers where it was registered before.

        A group that the network gave is gone: it is on its codeplug's again.
        """
        self.machine.booted()
        if self.machine.selected not in self.machine.groups.values():
            self.machine.selected = codeplug_group
        if self.may_register:
            self.register()

    async def stop(self) -> None:
        """Take line and jack away."""
        self._pei.close()
        if self.jack is not None:
            await self.jack.close()
