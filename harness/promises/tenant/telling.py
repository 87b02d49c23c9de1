"""How a request tells its tenant: in the places that the contract names, one or several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.exchange import Request
    from harness.identities import Identity
    from harness.stage import Stage

CREDENTIALS = "credentials"
Place = dict[str, Any]


def places(told: Mapping[str, Any]) -> list[Place]:
    """The places of a request itself that tell the tenant, in the order in which they count."""
    return [dict(place) for place in told["told"] if place["in"] != CREDENTIALS]


def name_of(place: Mapping[str, Any]) -> str:
    """What a report calls a place: the header's name, `host` or `path`."""
    return str(place["name"]) if place["in"] == "header" else str(place["in"])


def by(stage: Stage, request: Request, identity: Identity) -> Request:
    """The request as another identity sends it, who tells the tenant as harness.toml says."""
    path = _bare(stage, request)
    return replace(request, identity=identity, path=stage.actors.tenant_prefix(identity.tenant) + path)


def told(stage: Stage, request: Request, identity: Identity, tenants: list[tuple[Place, str]]) -> Request:
    """The request of an identity in which each place tells a tenant, and nothing else does.

    It counts as one to the identity's own tenant.
    """
    silent = replace(stage.actors.moved(identity, ""), tenant=identity.tenant)
    path, headers = _bare(stage, request), list(request.headers)
    for place, tenant in tenants:
        if place["in"] == "header":
            headers.append((place["name"], tenant))
        elif place["in"] == "host":
            headers.append(("Host", f"{tenant}.{place['base']}"))
        else:
            path = place["prefix"].replace("{tenant}", tenant) + path
    return replace(request, identity=silent, path=path, headers=tuple(headers))


def _bare(stage: Stage, request: Request) -> str:
    return request.path.removeprefix(stage.actors.tenant_prefix(request.identity.tenant or stage.tenant))
