"""Defects of HTTP itself: H1, H2, H3."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect, changed
from reference_impl.edge.authentication import Authentication
from reference_impl.edge.routes import Paths
from reference_impl.errors import ApiError
from reference_impl.procedures.categories import create_category

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Call, Reply
    from reference_impl.procedures.categories import CategoryInput


def bare(error: ApiError) -> ApiError:
    """Return the refusal without the headers that it has of its own."""
    return ApiError(error.code, error.message, details=error.details)


class SilentPaths(Paths):
    """H1: a 405 does not say which methods there are."""

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        try:
            await super().app(scope, receive, send)
        except ApiError as error:
            raise (bare(error) if error.code == "METHOD_NOT_ALLOWED" else error) from None


class SilentAuthentication(Authentication):
    """H2: a 401 does not say how to sign in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        try:
            await super().__call__(scope, receive, send)
        except ApiError as error:
            raise (bare(error) if error.code == "UNAUTHORIZED" else error) from None


def plant_no_allow(parts: Parts) -> Parts:
    """H1: use the silent paths."""
    return replace(parts, paths=SilentPaths)


def plant_no_challenge(parts: Parts) -> Parts:
    """H2: use the silent authentication."""
    return replace(parts, authentication=SilentAuthentication)


async def create_elsewhere(call: Call[CategoryInput, None]) -> Reply:
    """H3: the address of what was made is of a route that was renamed."""
    made = await create_category(call)
    return replace(made, headers=(call.location(f"/category/{made.value.id}"),))


DEFECTS = (
    Defect(
        id="H1",
        title="405 has no Allow",
        codes=("http.allow", "fuzz.unsupported_method"),
        operations=EVERY_OPERATION,
        plant=plant_no_allow,
    ),
    Defect(
        id="H2",
        title="401 has no WWW-Authenticate",
        codes=("http.challenge", "schema.missing-header"),
        operations=EVERY_OPERATION,
        plant=plant_no_challenge,
    ),
    Defect(
        id="H3",
        title="The Location of a new category leads nowhere",
        codes=("http.location",),
        operations=("categories.create",),
        plant=changed("categories.create", handler=create_elsewhere),
    ),
)
