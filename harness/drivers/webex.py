"""The Webex driver: what accounts of an organisation do and see by REST, simulated or real.

Each account asks with a token of its own, and what one does is judged by what another one sees. Tokens come from the
environment or the keyring (of a simulated Webex from its control interface) and reach no journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from harness.drivers.webex_calls import busy_since
from harness.drivers.webex_guests import GuestIssuer
from harness.drivers.webex_left import Left, remove
from harness.drivers.webex_migration import WebexMigration
from harness.drivers.webex_sign_in import SigningIn
from harness.endpoints.control_link import ControlLink
from harness.endpoints.sntp import Clock
from harness.endpoints.webex import KEYRING_SERVICE, WebexClient, token_from, tokens_from
from harness.errors import (
    DriverError,
    ExpectationError,
    InterlockError,
    NotPlayedError,
    WebexError,
    WebexRefusedError,
)
from harness.transport.context import Context

ADMINISTRATOR: Final = "administrator"
LOOKS_EVERY_S: Final = 0.5
"""How often is looked for what is expected; between looks the service may be asked for other things."""
UNAUTHORISED: Final = 401
MAX_MADE: Final = 10_000
"""What one driver makes at most, and takes away at its end."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a test acts as."""

    email: str
    token_variable: str | None
    """Where a real account's token is had."""
    disposable: bool
    """Whether a test may disable it."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose Webex it is."""

    service: str
    """Where it is asked, without ``/v1``."""
    organisation: str
    organisation_id: str


class Webex(WebexMigration):
    """Webex. What is done is journalled under the component's name: ids and accounts' names, never what is said.

    Events of a simulated one: ``messages.created``, ``memberships.created`` … {id, actor}, ``audit`` {category, target,
    actor}, ``person.disabled`` {person}, ``webhook.sent``, ``webhook.failed``, ``webhook.disabled`` {webhook},
    ``fault``, ``well``, ``busy`` and ``ready``; of its identity provider ``identity.signed_in`` and
    ``identity.refused`` {step, reason}.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        service: str,
        accounts: dict[str, Account],
        prefix: str,
        read_only: bool,
        permit: Callable[[str], None],
        clock: Clock,
        analytics: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Use `Webex.open`."""
        super().__init__(context, name, permit=permit, clock=clock)
        self.prefix = prefix
        """What the names of all begin with that is made here."""
        self.read_only = read_only
        self._service, self._accounts = service, dict(accounts)
        self._analytics_at, self._tls = analytics or service, tls
        self._clients: dict[str, WebexClient] = {}
        self._analysts: dict[str, WebexClient] = {}
        self._made: list[Left] = []
        self._ledgers, self._recorded = {}, {}
        self._codes: dict[str, int] = {}
        self._closed = False

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        service: str,
        accounts: dict[str, Account],
        prefix: str,
        read_only: bool,
        permit: Callable[[str], None],
        clock: Clock,
        control: str | None,
        control_token: str | None = None,
        analytics: str | None = None,
        tls: ssl.SSLContext | None = None,
        signing_in: SigningIn | None = None,
        guest_issuer: GuestIssuer | None = None,
    ) -> Webex:
        """Reach Webex at ``service``, and a simulated one's events, faults and tokens at ``control``.

        ``analytics``: where call records are had, where that is another host. ``tls``: by what the service is checked;
        left out: whom the public web trusts.

        ``clock``: seconds since 1970, by which records are asked for. ``permit`` lets a number be dialled, or raises
        InterlockError. ``signing_in``: by what people sign in at a simulated one; ``guest_issuer``: who signs for
        guests of the older kind. Raises DriverError where there are no events.
        """
        webex = cls(
            context,
            name,
            service=service,
            accounts=accounts,
            prefix=prefix,
            read_only=read_only,
            permit=permit,
            clock=clock,
            analytics=analytics,
            tls=tls,
        )
        webex.signing_in, webex.guest_issuer = signing_in, guest_issuer
        if control is not None:
            webex._link = await ControlLink.open(context, name, control, control_token, webex._told)
        return webex

    async def close(self) -> None:
        """Take away what was made here, and disconnect; again does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self.tidy()
        finally:
            for client in (*self._clients.values(), *self._analysts.values()):
                await client.close()
            if self._link is not None:
                await self._link.close()

    async def tidy(self) -> None:
        """Take away what was made here and put back what was changed.

        What can't be is told in the journal, and is left for ``iccs webex sweep``.
        """
        await self._roll_all_back()
        for what, undo in (("recording", self._take_recordings_away), ("queue agent", self._agents_as_before)):
            try:
                await undo()
            except (WebexError, NotPlayedError) as error:
                self._journal.warn(self.name, "webex.left", what=what, reason=str(error))
        while self._made:
            left = self._made.pop()
            try:
                await remove(await self.account(left.by), left)
            except (WebexError, NotPlayedError) as error:
                self._journal.warn(self.name, "webex.left", what=left.kind, id=left.id, reason=str(error))

    async def account(self, name: str = ADMINISTRATOR) -> WebexClient:
        """An account's own connection, for what this driver has no act for. Raises DriverError, WebexError."""
        if name not in self._clients:
            account = self._known(name)
            token = await self._token(name, account)
            self._clients[name] = WebexClient(
                f"{self.name} {name}", self._service, token, read_only=self.read_only, tls=self._tls
            )
        return self._clients[name]

    async def tenant(self) -> Tenant:
        """Which organisation the administrator's token is of, and where. Raises DriverError, WebexError."""
        client = await self.account()
        me = await client.ask("GET", "/people/me")
        organisation = await client.ask("GET", f"/organizations/{me['orgId']}")
        return Tenant(self._service, str(organisation["displayName"]), str(organisation["id"]))

    async def analyst(self, name: str = ADMINISTRATOR) -> WebexClient:
        """An account's connection to where call records are. Raises as `account` does."""
        if name not in self._analysts:
            token = await self._token(name, self._known(name))
            self._analysts[name] = WebexClient(
                f"{self.name} {name}", self._analytics_at, token, read_only=True, tls=self._tls
            )
        return self._analysts[name]

    async def _let_stay(self, name: str, email: str, token: str) -> None:
        await self._forget(name)
        self._accounts[name] = Account(email, None, True)
        self._clients[name] = WebexClient(
            f"{self.name} {name}", self._service, token, read_only=self.read_only, tls=self._tls
        )

    def _last_steps(self) -> dict[str, int]:
        return self._codes

    def _email(self, account: str) -> str:
        return self._known(account).email

    def _is_disposable(self, email: str) -> bool:
        return any(each.disposable and each.email.lower() == email for each in self._accounts.values())

    def _keep(self, kind: str, made: dict[str, Any], by: str) -> None:
        self._made.append(Left(kind, str(made["id"]), str(made["title"]), by))
        if len(self._made) > MAX_MADE:
            raise DriverError(f"{self.name}: {MAX_MADE} rooms and meetings were made, and no more are")

    def _known(self, name: str) -> Account:
        if name not in self._accounts:
            raise DriverError(f"{self.name} has no account {name!r}; there is {', '.join(self._accounts)}")
        return self._accounts[name]

    async def _token(self, name: str, account: Account) -> str:
        if self._link is not None:
            said = await self._link.ask("POST", "/tokens", {"email": account.email})
            return str(said["token"])
        assert account.token_variable is not None, f"the file's reader saw to it for {name}"
        if account.disposable:
            return await self._leavers_token(name, account.token_variable)
        return token_from(account.token_variable)

    async def _leavers_token(self, name: str, variable: str) -> str:
        """A token that serves: with an account that is disabled its tokens end, and a person signs in for a new one.

        Raises NotPlayedError where nobody stands by to do it, WebexError where there is none.
        """
        token_from(variable)
        for token in tokens_from(variable):
            if await self._serves(name, token):
                return token
        ended = f"the token of account {name!r} ({variable}) serves no more, as it ends where the account is disabled"
        put = f"put a new one into the keyring: keyring set {KEYRING_SERVICE} {variable}"
        if self.tester is None:
            raise NotPlayedError(f"{self.name}: {ended}: sign it in anew and {put}")
        await self.tester.does(self.name, f"{ended}: sign it in anew and {put}")
        for token in tokens_from(variable):
            if await self._serves(name, token):
                return token
        raise WebexError(f"{self.name}: {ended}, and no other one was found")

    async def _serves(self, name: str, token: str) -> bool:
        client = WebexClient(f"{self.name} {name}", self._service, token, read_only=True, tls=self._tls)
        try:
            await client.ask("GET", "/people/me")
        except WebexRefusedError as error:
            if error.status != UNAUTHORISED:
                raise
            return False
        finally:
            await client.close()
        return True

    # What people do; each raises WebexError with what Webex says against it

    async def make_room(self, title: str, *, by: str = ADMINISTRATOR) -> str:
        """Make a room whose title begins with the prefix; return its id."""
        said = await (await self.account(by)).ask("POST", "/rooms", {"title": f"{self.prefix}{title}"})
        room = str(said["id"])
        self._keep("rooms", said, by)
        self._journal.record(self.name, "webex.room_made", room=room, account=by)
        return room

    async def invite(self, room: str, whom: str, *, by: str = ADMINISTRATOR) -> str:
        """Bring an account into a room; return the membership's id."""
        body = {"roomId": room, "personEmail": self._known(whom).email}
        said = await (await self.account(by)).ask("POST", "/memberships", body)
        self._journal.record(self.name, "webex.invited", room=room, account=whom)
        return str(said["id"])

    async def say(self, room: str, text: str, *, by: str = ADMINISTRATOR) -> str:
        """Say something in a room that was made here; return the message's id.

        Raises InterlockError for a room that others made: real people would read it.
        """
        if self._link is None and not any(each.id == room for each in self._made):
            raise InterlockError(f"{self.name}: room {room} was not made by this test: nothing is said in it")
        said = await (await self.account(by)).ask("POST", "/messages", {"roomId": room, "text": text})
        self._journal.record(self.name, "webex.said", room=room, message=str(said["id"]), account=by)
        return str(said["id"])

    async def expect_message(self, message: str, *, by: str, within: float) -> dict[str, Any]:
        """The message as another account sees it; raises ExpectationError where it does not within so many seconds."""
        client = await self.account(by)
        last, held_off = "it was not asked", client.held_off_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    try:
                        seen: dict[str, Any] = await client.ask("GET", f"/messages/{message}")
                    except WebexRefusedError as error:
                        last = str(error)
                        await asyncio.sleep(LOOKS_EVERY_S)
                        continue
                    self._journal.record(self.name, "webex.message_seen", message=message, account=by)
                    return seen
        busy = busy_since(client, held_off)
        raise ExpectationError(f"{self.name}: {by} was to see message {message} within {within:g} s: {last}{busy}")

    async def disable(self, whom: str, *, by: str = ADMINISTRATOR) -> None:
        """Disable an account, as an administrator does a leaver's. Raises InterlockError for one that is not to be."""
        await self._let_in(whom, by, enabled=False)

    async def enable(self, whom: str, *, by: str = ADMINISTRATOR) -> None:
        """Enable an account again, whose tokens are new ones from then on."""
        await self._let_in(whom, by, enabled=True)
        await self._forget(whom)

    def _may_be_disabled(self, whom: str) -> None:
        if self._link is None and not self._known(whom).disposable:
            raise InterlockError(
                f"{self.name}: account {whom!r} is not to be disabled: the testbed file does not call it 'disposable'"
            )

    async def _forget(self, whom: str) -> None:
        client = self._clients.pop(whom, None)
        if client is not None:
            await client.close()

    async def _let_in(self, whom: str, by: str, *, enabled: bool) -> None:
        account = self._known(whom)
        self._may_be_disabled(whom)
        client = await self.account(by)
        people = [each async for each in client.listed("/people", query={"email": account.email}, most=1)]
        if not people:
            raise DriverError(f"{self.name}: {by} finds nobody who is account {whom!r}")
        person = people[0] | {"loginEnabled": enabled}
        # Whoever is changed is told whole: what is left out, the service would empty.
        await client.ask("PUT", f"/people/{person['id']}", person)
        self._journal.record(self.name, "webex.enabled" if enabled else "webex.disabled", account=whom)

    async def expect_blocked(self, whom: str, *, within: float) -> float:
        """Seconds until an account's token serves no more; ExpectationError where it does after ``within``.

        The token is one that served before: ask for the account first.
        """
        if whom not in self._clients:
            raise DriverError(
                f"{self.name}: {whom!r} was not asked for before: there is no token that could be blocked"
            )
        began = self._journal.now()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    try:
                        await self._clients[whom].ask("GET", "/people/me")
                    except WebexRefusedError as error:
                        if error.status != UNAUTHORISED:
                            raise
                        took = self._journal.now() - began
                        self._journal.record(self.name, "webex.blocked", account=whom, after=took)
                        return took
                    await asyncio.sleep(LOOKS_EVERY_S)
        raise ExpectationError(f"{self.name}: {whom} was to be blocked within {within:g} s, and is let in still")
