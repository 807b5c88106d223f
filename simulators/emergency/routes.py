"""Authorities and the routes to their control rooms: where they lead, and whether they are up (OPTIONS)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.flow import UDP, Hop
from harness.errors import HarnessError, LocalError
from harness.protocols.sip.emergency_call import Route as RouteName
from simulators.emergency.settings import ROUTE_NAMES, AuthoritySettings, RouteSettings, RoutingSettings

CRITICAL: Final = str(RouteName.CRITICAL)

Resolve = Callable[[str], tuple[str, int] | None]
"""Where a component of the testbed takes calls; None where it is not there."""


class RouteError(LocalError):
    """An authority or a route that is not there, or that can't be set so."""


class Route:
    """One way to a control room."""

    def __init__(self, name: str, settings: RouteSettings) -> None:
        self.name = name
        """``primary``, ``secondary``, ``tertiary`` or ``critical``."""
        self.number = settings.number
        self.delayed_offer = settings.delayed_offer
        self.address: tuple[str, int] | None = None
        """The control room's SIP; None: not connected."""
        self.cut = False
        """Whether the line is cut, on purpose: what is sent is lost."""
        self.failures = 0
        """OPTIONS in a row without a good answer."""
        self.is_up = True

    @property
    def is_usable(self) -> bool:
        """Whether a call is worth trying here. A cut is only found by trying, or by OPTIONS."""
        return self.address is not None and self.is_up

    @property
    def hop(self) -> Hop:
        """Where its requests go."""
        assert self.address is not None
        return Hop(UDP, *self.address)

    @property
    def uri(self) -> str:
        """What is dialled."""
        assert self.address is not None
        host, port = self.address
        return f"sip:{self.number.replace('#', '%23')}@{host}:{port}"

    @property
    def target(self) -> str:
        """``number@host:port``, for people."""
        where = "nowhere" if self.address is None else f"{self.address[0]}:{self.address[1]}"
        return f"{self.number}@{where}"

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        to = None if self.address is None else f"{self.address[0]}:{self.address[1]}"
        told = {"name": self.name, "to": to, "number": self.number, "delayed_offer": self.delayed_offer}
        return {**told, "up": self.is_up, "cut": self.cut, "failures": self.failures}


class Authority:
    """One authority."""

    def __init__(self, settings: AuthoritySettings) -> None:
        self.name = settings.name
        self.service = settings.service
        self.settings = settings
        self.routes = [Route(name, each) for name, each in zip(ROUTE_NAMES, settings.routes, strict=False)]
        self.critical = Route(CRITICAL, settings.critical) if settings.critical is not None else None

    def each_route(self) -> list[Route]:
        """The critical number last."""
        return [*self.routes, *([self.critical] if self.critical is not None else [])]

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        routes = [each.shown() for each in self.each_route()]
        return {"name": self.name, "service": self.service, "buddy": self.settings.buddy, "routes": routes}


class Authorities:
    """All authorities, and the watch over their routes."""

    def __init__(
        self, settings: tuple[AuthoritySettings, ...], routing: RoutingSettings, tell: Callable[..., None]
    ) -> None:
        """``tell`` is given a kind and what there is to say."""
        self._all = {each.name: Authority(each) for each in settings}
        self._routing = routing
        self._tell = tell
        self._watch: asyncio.Task[None] | None = None
        self._pings: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Authority]:
        return iter(self._all.values())

    def get(self, name: str) -> Authority:
        """One authority. Raises RouteError."""
        try:
            return self._all[name]
        except KeyError:
            raise RouteError(f"there is no authority {name!r}; there is {', '.join(self._all)}") from None

    def route(self, authority: str, name: str) -> Route:
        """One route. Raises RouteError."""
        found = self.get(authority)
        for route in found.each_route():
            if route.name == name:
                return route
        raise RouteError(f"{authority!r} has no route {name!r}; it has {', '.join(r.name for r in found.each_route())}")

    def serving(self, service: str) -> Authority:
        """The first authority of a service; the first of all where nobody serves it."""
        everybody = list(self._all.values())
        return next((each for each in everybody if each.service == (service or "police")), everybody[0])

    def buddy_of(self, authority: Authority) -> Authority | None:
        """Who takes an authority's calls when it does not answer."""
        return None if authority.settings.buddy is None else self._all[authority.settings.buddy]

    def resolve(self, resolve: Resolve) -> None:
        """Find where every route leads. Raises RouteError for what is neither an address nor a component."""
        for authority in self:
            settings = [*authority.settings.routes, authority.settings.critical]
            told = [each for each in settings if each is not None]
            for route, each in zip(authority.each_route(), told, strict=True):
                route.address = None if each.to is None else address_of(each.to, resolve)

    # The watch

    def watch(self, agent: UserAgent) -> None:
        """Begin to send OPTIONS on every route, where the settings want it."""
        if self._routing.ping_s:
            self._watch = asyncio.get_running_loop().create_task(self._watching(agent))

    async def stop(self) -> None:
        """Watch no more."""
        tasks = [*self._pings, *([self._watch] if self._watch is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watching(self, agent: UserAgent) -> None:
        while True:
            for authority in self:
                for route in authority.each_route():
                    if route.address is not None:
                        task = asyncio.get_running_loop().create_task(self._ping(agent, authority, route))
                        self._pings.add(task)
                        task.add_done_callback(self._pings.discard)
            await asyncio.sleep(self._routing.ping_s)

    async def _ping(self, agent: UserAgent, authority: Authority, route: Route) -> None:
        status = 0
        if route.cut:
            await asyncio.sleep(self._routing.ping_within_s)
        else:
            assert route.address is not None
            try:
                uri = f"sip:{route.address[0]}:{route.address[1]}"
                response = await agent.options(uri, to=route.hop, within=self._routing.ping_within_s)
                status = response.status
            except HarnessError:
                status = 0
        self.answered(authority, route, good=0 < status < 500, status=status)

    def answered(self, authority: Authority, route: Route, *, good: bool, status: int) -> None:
        """Note what an OPTIONS, or a call, brought: 5xx and silence are no good answer."""
        route.failures = 0 if good else route.failures + 1
        if route.is_up and route.failures >= self._routing.ping_failures:
            route.is_up = False
            self._tell("route.down", authority=authority.name, route=route.name, status=status)
        elif good and not route.is_up:
            route.is_up = True
            self._tell("route.up", authority=authority.name, route=route.name)


def address_of(text: str, resolve: Resolve) -> tuple[str, int] | None:
    """Where a route leads; None where its component is not there. Raises RouteError for what is no address."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return resolve(text)
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise RouteError(f"{text!r} is neither host:port nor a component's name")
    return host.strip("[]"), int(port)
