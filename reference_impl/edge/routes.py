"""Routes paths and methods: one route a path, 405 for its other methods, 404 for what is no path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route, Router

from reference_impl.edge.answers import send_empty
from reference_impl.edge.exchange import of
from reference_impl.errors import ApiError, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send


class PathEndpoint:
    """All methods of one path; 405 with the complete Allow for the rest."""

    def __init__(self, template: str, endpoints: Mapping[str, ASGIApp]) -> None:
        self._template = template
        self._endpoints = dict(endpoints)
        if "GET" in self._endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._allow = ", ".join(sorted({*self._endpoints, "OPTIONS"})).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        exchange = of(scope)
        exchange.route = self._template
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is not None:
            await endpoint(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await send_empty(send, 204, ((b"allow", self._allow),))
        else:
            raise ApiError(
                "METHOD_NOT_ALLOWED",
                f"This path serves {self._allow.decode()}.",
                headers=((b"allow", self._allow),),
            )


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found("path")


class Paths(Router):
    """Looks paths without parameters up, and tries the others in turn: what is fixed stands before what is not."""

    def __init__(self, paths: Mapping[str, Mapping[str, ASGIApp]]) -> None:
        endpoints = {template: PathEndpoint(template, methods) for template, methods in paths.items()}
        self._fixed = {template: endpoint for template, endpoint in endpoints.items() if "{" not in template}
        routes = [Route(template, endpoint) for template, endpoint in endpoints.items() if template not in self._fixed]
        super().__init__(routes, redirect_slashes=False, default=_nowhere)

    def named(self, path: str) -> str:
        """Return the template that a path fits; nothing when it fits none."""
        if path in self._fixed:
            return path
        fitting = (route.path for route in self.routes if isinstance(route, Route) and route.path_regex.match(path))
        return next(fitting, "")

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        endpoint = self._fixed.get(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None:
            await super().app(scope, receive, send)
        else:
            scope["path_params"] = {}
            await endpoint(scope, receive, send)
