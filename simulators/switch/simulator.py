"""The enterprise switch simulator as a whole: centre, sites' gateways, records, control interface."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import trustme

from harness.endpoints.media import MediaService
from harness.endpoints.media.wav import read_wav
from harness.endpoints.sip.flow import TLS
from harness.endpoints.sip.transports import TlsSides
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.tls import TlsFiles
from simulators.calendar import epoch_of
from simulators.reach import need_token
from simulators.switch.api import make_app
from simulators.switch.core import Core
from simulators.switch.figures import Score
from simulators.switch.records import Records
from simulators.switch.settings.services import ConferenceSettings
from simulators.switch.settings.sites import EmergencySettings, SiteSettings
from simulators.switch.settings.switch import SwitchSettings, TlsSettings
from simulators.switch.settings.trunks import RouteSettings
from simulators.switch.sounds import tune
from simulators.switch.switch import EnterpriseSwitch
from simulators.web import WebServer

ANY_NUMBER = ("!", "\\+!")
"""Patterns of all numbers, for a gateway's ways out."""


class SwitchSimulator:
    """One running enterprise switch. Use `start`."""

    switch: EnterpriseSwitch

    def __init__(self, context: Context, name: str, settings: SwitchSettings) -> None:
        self.name = name
        self.settings = settings
        self._context = context
        self._stack = AsyncExitStack()
        self.control_url = ""
        """Where the control interface is, ``http://host:port``."""
        self.authority: Path | None = None
        """PEM file of the authority that signed a certificate which was made for the run."""
        self.telephone_certificate: Path | None = None
        """PEM file of a certificate of that authority's for telephones of this machine: call managers issue such."""
        self.folder = Path()
        """Where call records are put."""

    @classmethod
    async def start(
        cls,
        context: Context,
        media: MediaService,
        settings: SwitchSettings,
        *,
        name: str = "switch",
        virtual: bool,
        score: Score,
        permit: Callable[[str], None] | None = None,
        components: Mapping[str, Address] | None = None,
    ) -> SwitchSimulator:
        """Start it. `components`: where those of the testbed are that trunks lead to; `permit`: the interlock.

        Raises LocalError when it would listen beyond loopback without a token or something does not fit, MediaError
        where a clip can't be read, and TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("the control interface", settings.host, settings.control_token, key="control_token")
        simulator = cls(context, name, settings)
        try:
            await simulator._start(media, virtual, score, permit, components or {})
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(
        self,
        media: MediaService,
        virtual: bool,
        score: Score,
        permit: Callable[[str], None] | None,
        components: Mapping[str, Address],
    ) -> None:
        settings, context = self.settings, self._context
        epoch = epoch_of(context.journal, virtual=virtual)
        own = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="iccs-switch-")))
        self.folder = settings.records.folder or (context.capture_dir or own) / "records"
        self.folder.mkdir(parents=True, exist_ok=True)
        records = Records(context, self.name, settings.records, epoch, self.folder, score)
        music = read_wav(settings.music.clip) if settings.music.clip is not None else tune()
        options: dict[str, Any] = {"components": components, "epoch": epoch, "music": music}
        core = Core(context, media, settings, self.name, records=records, **options)
        tls = self._tls(own)
        self._stack.callback(records.stop)
        self._stack.push_async_callback(core.stop)
        await core.open(permit=permit, tls=tls, sips=tls is not None)
        survivable: dict[str, Core] = {}
        for site in settings.sites:
            if site.survivable is None:
                continue
            gateway = Core(context, media, _gateway(settings, site), f"{self.name} {site.name}", **options)
            self._stack.push_async_callback(gateway.stop)
            await gateway.open(permit=permit)
            survivable[site.name] = gateway
        self.switch = EnterpriseSwitch(core, survivable, records)
        token = settings.control_token.get_secret_value() if settings.control_token is not None else None
        web = WebServer(make_app(self.switch, token), settings.host, settings.control_port)
        self._stack.push_async_callback(web.stop)
        self.control_url = f"http://{settings.host}:{await web.start()}"

    def _tls(self, own: Path) -> TlsSides | None:
        told = self.settings.tls
        if isinstance(told, TlsSettings):
            server = TlsFiles(told.certificate, told.key, told.authority, mutual=told.mutual)
            return TlsSides(server, TlsFiles(told.certificate, told.key, told.authority))
        if told == "off":
            return None
        authority = trustme.CA()
        self.authority = own / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        certificate = own / "switch.pem"
        leaf = authority.issue_cert(self.settings.host, "localhost")
        leaf.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        certificate.chmod(0o600)
        self.telephone_certificate = own / "telephone.pem"
        issued = authority.issue_cert(self.settings.host, "localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(str(self.telephone_certificate))
        self.telephone_certificate.chmod(0o600)
        return TlsSides(TlsFiles(certificate), TlsFiles(authority=self.authority))

    @property
    def sip_address(self) -> Address:
        """Where it takes SIP over UDP and TCP."""
        return self.switch.core.address

    @property
    def sips_address(self) -> Address | None:
        """Where it takes SIP over TLS."""
        return self.switch.core.agent.endpoint.transports.locals.get(TLS)

    def survivable_addresses(self) -> dict[str, Address]:
        """Where the sites' gateways take SIP over UDP and TCP."""
        return {site: core.address for site, core in self.switch.survivable.items()}

    async def stop(self) -> None:
        """Take no more orders, clear every call and close every port; no task is left."""
        await self._stack.aclose()


def _gateway(settings: SwitchSettings, site: SiteSettings) -> SwitchSettings:
    """What a site's gateway is told: the site's lines, its own trunks, and nothing that the centre does."""
    told = site.survivable
    assert told is not None
    trunks = tuple(trunk.name for trunk in told.trunks)
    routes = () if told.emergency_only else tuple(RouteSettings(pattern=each, trunks=trunks) for each in ANY_NUMBER)
    emergency = settings.emergency
    return settings.model_copy(
        update={
            "sip_port": told.sip_port,
            "tls": "off",
            "guests": False,
            "lines": tuple(
                line.model_copy(update={"voicemail": False}) for line in settings.lines if line.site == site.name
            ),
            "hunt_groups": (),
            "call_queues": (),
            "pickup_groups": (),
            "park": None,
            "conference": ConferenceSettings(),
            "voicemail": None,
            "trunks": told.trunks,
            "routes": routes,
            "sites": (site.model_copy(update={"emergency_trunks": ()}),),
            "emergency": EmergencySettings(
                numbers=emergency.numbers,
                sent_as=emergency.sent_as,
                trunks=trunks,
                callback_s=emergency.callback_s,
                location=emergency.location,
            ),
        }
    )
