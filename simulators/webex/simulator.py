"""The simulated Webex as a whole: its store, its API, its webhooks, and its control interface."""

from __future__ import annotations

import random
import secrets
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import trustme

from harness.transport.context import Context
from simulators.calendar import clock_of, epoch_of
from simulators.events import Events
from simulators.failing import FailingServer
from simulators.faults import Faults
from simulators.identity.provider import Provider
from simulators.identity.server import IdentityProvider
from simulators.identity.settings import IdentitySettings
from simulators.reach import need_token
from simulators.web import WebServer
from simulators.webex.api import make_app
from simulators.webex.call_watch import CallWatch
from simulators.webex.cloud import Cloud
from simulators.webex.control import make_control
from simulators.webex.delivery import Deliveries
from simulators.webex.filling import fill
from simulators.webex.front import Bucket, Front
from simulators.webex.happenings import Happenings
from simulators.webex.paging import Pager
from simulators.webex.scopes import ALL, GUEST, SERVICE_APP, USER
from simulators.webex.settings import CertificateSettings, WebexSettings
from simulators.webex.shapes import Person
from simulators.webex.sso import CLIENT_ID, SignOn
from simulators.webex.store import Store
from simulators.webex.switchboard import Switchboard
from simulators.webex.tokens import Issued, Tokens


class WebexSimulator:
    """One Webex."""

    def __init__(self, cloud: Cloud) -> None:
        """Use `WebexSimulator.start`."""
        self.events: Events = cloud.events
        self.control_url = ""
        """Where its events, faults and tokens are, ``http://host:port``."""
        self.token = ""
        """The access token of the first organisation's administrator, made for this run."""
        self.authority: Path | None = None
        """PEM file of the authority that signed a certificate which was made for the run."""
        self._cloud = cloud
        self._settings = cloud.settings
        self._stack = AsyncExitStack()
        faults = Faults()
        bucket = Bucket(cloud.settings.requests_per_s, cloud.settings.burst, cloud.store.now)
        self._front = Front(
            make_app(cloud), cloud.tokens, cloud.caller, bucket, faults, cloud.rng, lambda: self.server.address
        )
        certificate, key = self._certificate(cloud.settings)
        self.server = FailingServer(
            lambda: self._front,
            cloud.settings.host,
            cloud.settings.port,
            faults,
            self.events,
            certificate=certificate,
            key=key,
        )

    @classmethod
    async def start(
        cls,
        context: Context,
        settings: WebexSettings,
        *,
        name: str = "webex",
        virtual: bool,
        switch: tuple[str, str | None] | None = None,
    ) -> WebexSimulator:
        """Start it; ``switch``: the control interface of the enterprise switch that makes its calls, and its token.

        Raises LocalError when its control interface would be reached from beyond loopback without a token, and
        TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("Webex's control interface", settings.host, settings.control_token, key="control_token")
        now = clock_of(context.journal, virtual=virtual)
        rng = random.Random(context.rng.getrandbits(64))
        store = Store(rng, now)
        events = Events(context.journal, name)
        deliveries = Deliveries(events, now, settings.webhooks_to)
        cloud = Cloud(
            settings,
            store,
            Tokens(now, settings.token_lives_s, settings.integrations),
            Pager(secrets.token_bytes(32), now, settings.cursor_lives_s),
            events,
            Happenings(store, events, deliveries),
            deliveries,
            rng,
        )
        cloud.shares.after_s = settings.share_after_s
        simulator = cls(cloud)
        simulator._stack.push_async_callback(deliveries.stop)
        if switch is not None:
            origin = epoch_of(context.journal, virtual=virtual)
            cloud.switchboard = Switchboard(*switch, origin, store.person_by_extension)
            simulator._stack.push_async_callback(cloud.switchboard.close)
        try:
            administrator = fill(cloud)
            if switch is not None:
                watch = CallWatch(cloud)
                await watch.start(context, *switch)
                simulator._stack.push_async_callback(watch.close)
            simulator.token = simulator._issue(administrator, None, None).access_token
            await simulator._start()
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self) -> None:
        self._stack.push_async_callback(self.server.stop)
        await self.server.start()
        self._cloud.url = self.url
        if self._settings.sign_on is not None:
            await self._start_sign_on(self._settings.sign_on)
        secret = self._settings.control_token
        app = make_control(self, secret.get_secret_value() if secret is not None else None)
        control = WebServer(app, self._settings.host, self._settings.control_port)
        self._stack.push_async_callback(control.stop)
        self.control_url = f"http://{self._settings.host}:{await control.start()}"

    async def _start_sign_on(self, settings: IdentitySettings) -> None:
        secret, now = secrets.token_urlsafe(32), self._cloud.store.now
        provider = Provider(settings, now, CLIENT_ID, secret.encode())
        identity = IdentityProvider(self.events, self._settings.host, provider)
        self._stack.push_async_callback(identity.stop)
        await identity.start()
        self._cloud.sign_on = SignOn(lambda: identity.url, lambda: self.url, secret, now)
        self._stack.push_async_callback(self._cloud.sign_on.close)
        provider.redirect_uris.add(self._cloud.sign_on.callback)

    def _certificate(self, settings: WebexSettings) -> tuple[Path | None, Path | None]:
        """What it serves https with, and its key; none where it serves http."""
        if isinstance(settings.tls, CertificateSettings):
            return settings.tls.certificate, settings.tls.key
        if settings.tls == "off":
            return None, None
        own = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="iccs-webex-")))
        authority = trustme.CA()
        self.authority, certificate = own / "authority.pem", own / "webex.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        leaf = authority.issue_cert(settings.host, "localhost")
        leaf.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        certificate.chmod(0o600)
        return certificate, None

    @property
    def url(self) -> str:
        """Where the API is, without ``/v1``: ``http://host:port``, or https."""
        return f"{'http' if self._settings.tls == 'off' else 'https'}://{self.server.address}"

    async def stop(self) -> None:
        """Serve no more; what it held is gone."""
        await self._stack.aclose()

    def figures(self) -> dict[str, Any]:
        """Where it is asked, and what is wrong."""
        return {
            "url": self.url,
            "fault": self.server.faults.shown,
            "retry_after": self._front.busy_s,
            "messages": len(self._cloud.store.messages),
            "content_bytes": self._cloud.store.content_bytes,
        }

    def _issue(self, person: Person, scopes: frozenset[str] | None, lives: float | None) -> Issued:
        own = ALL if person.roles else USER
        if person.type == "appuser":
            own = SERVICE_APP if person.guest_of is None else GUEST
        return self._cloud.tokens.issue(person.id, own if scopes is None else scopes, lives_s=lives)

    def issue(self, email: str, scopes: frozenset[str] | None, lives: float | None) -> Issued | None:
        """A token for an account; None where there is no such account."""
        person = next((each for each in self._cloud.store.people if email.lower() in each.emails), None)
        return None if person is None else self._issue(person, scopes, lives)

    def set_sharing(self, after_s: float) -> None:
        """Let what is shared be seen after so many seconds."""
        self._cloud.shares.after_s = after_s
        self.events.tell("sharing", after_s=after_s)

    def set_busy(self, retry_after: int) -> None:
        """Tell every client to come back after so many seconds; 0: no more."""
        self._front.busy_s = retry_after
        self.events.tell("busy" if retry_after else "ready", retry_after=retry_after)
