"""A load for an API that has no journey of its own: its reads that need no path parameter, in turn and at random.

The plan's options hold `operations`: [[operation id, path, roles], …], no roles meaning anyone. By hand, `locust -f
harness/load/generic.py --host URL`, they are taken from the document that the target serves at /openapi.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.load.journey import Briefing, Ground, Route, SetUpError, Step, caller, headers_of
from harness.load.user import TimetableUser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.load.journey import Journey, Visit

DOCUMENT = "/openapi.json"


def set_up(briefing: Briefing) -> Journey[Ground]:
    """The operations of the plan, or of the served document; SetUpError where there is none to read."""
    told = briefing.options.get("operations", ())
    operations = [(name, path, *(roles or [[]])) for name, path, *roles in told]
    if not operations:
        reply = yield Step("document", "GET", DOCUMENT)
        document = reply.json()
        if not isinstance(document, dict):
            raise SetUpError(f"GET {DOCUMENT} answered {reply.status or reply.error}: no operations to read are known")
        operations = reads(document)
    if not operations:
        raise SetUpError("the contract has no GET without a required parameter: write a journey for this API")
    facts = {"operations": operations}
    return Ground(briefing.identities, facts) if briefing.identities else Ground(facts=facts)


def reads(document: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Each GET of an OpenAPI document that asks for no parameter, as (operation id, path, no roles)."""
    servers = document.get("servers") or [{}]
    prefix = str(servers[0].get("url", ""))
    prefix = prefix.rstrip("/") if prefix.startswith("/") else ""
    found: list[tuple[str, str, list[str]]] = []
    for path, item in document.get("paths", {}).items():
        operation = item.get("get")
        if operation is None or "{" in path:
            continue
        parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
        if not any(parameter.get("required") or "$ref" in parameter for parameter in parameters):
            found.append((operation.get("operationId") or f"GET {path}", prefix + path, []))
    return found


def browse(visit: Visit) -> Journey[None]:
    """Every operation once, in an order of its own, as someone who may call it."""
    operations = list(visit.ground.facts["operations"])
    visit.random.shuffle(operations)
    for operation, path, roles in operations:
        identity = caller(visit, roles)
        yield Step(operation, "GET", path, headers_of(identity), identity=identity)


class Reader(TimetableUser):
    """Reads."""

    routes = (Route("browse", 1, browse),)
    set_up = staticmethod(set_up)
