"""Routes that FastAPI looks into when they are first used: a control room has hundreds, a test uses a few of them.

What FastAPI does for a route when it is made (signatures, models, validators) takes more than a millisecond, and as
much again when its router is included. A testbed in virtual time starts a dozen simulators for every test.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, compile_path

_compiled = functools.lru_cache(maxsize=2048)(compile_path)


class LateRoute(APIRoute):
    """A route that has its path and methods from the start, and the rest when something asks for it.

    What is wrong with an endpoint's signature shows then, and not when the route is made.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.asked = (path, endpoint, options)
        self.path, self.endpoint = path, endpoint
        self.path_regex, self.path_format, self.param_convertors = _compiled(path)
        self.methods = {each.upper() for each in options.get("methods") or ("GET",)}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "asked" not in vars(self) or "app" in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        path, endpoint, options = self.asked
        APIRoute.__init__(self, path, endpoint, **options)
        return getattr(self, name)


class Routes(APIRouter):
    """A router of LateRoute."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=LateRoute, **options)


def add_routes(app: FastAPI, router: Routes, *, prefix: str = "", dependencies: Sequence[Depends] = ()) -> None:
    """Let ``app`` have the routes of ``router``, each under ``prefix`` and with ``dependencies`` before its own.

    FastAPI's own ``include_router`` makes each route a second time, and all of them as soon as one is looked for.
    """
    app.router.routes.extend(_under(route, prefix, dependencies) for route in router.routes)


def _under(route: BaseRoute, prefix: str, dependencies: Sequence[Depends]) -> BaseRoute:
    if isinstance(route, LateRoute):
        path, endpoint, options = route.asked
        own = options.get("dependencies") or ()
        return LateRoute(prefix + path, endpoint, **{**options, "dependencies": [*dependencies, *own]})
    if isinstance(route, APIWebSocketRoute):
        return APIWebSocketRoute(
            prefix + route.path,
            route.endpoint,
            name=route.name,
            dependencies=[*dependencies, *route.dependencies],
        )
    raise TypeError(f"{type(route).__name__} is no route of a simulator: make it with Routes")
