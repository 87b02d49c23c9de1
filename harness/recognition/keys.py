"""Operations that issue a key: a secured create whose answer has its secret, beside a scheme of the document for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.contract import naming, pointer
from harness.contract.operation import is_json
from harness.contract.shape import flattened
from harness.recognition.sign import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract, Operation

COLLECTION = re.compile(r"/(?:[\w-]*-)?(?:api_?)?(?:keys?|(?:access_?)?tokens?|credentials?)/?", re.IGNORECASE)
SECRET = {"key", "apikey", "secret", "secretkey", "token", "accesstoken", "plaintext", "plaintexttoken"}
NUMBER = {"expiresin", "ttl", "lifetime", "expiresinseconds", "ttlseconds"}
MOMENT = {"expiresat", "expires", "expiration", "expirydate", "expiry", "validuntil"}
SCOPES = {"scopes", "scope", "abilities", "permissions"}


def signs(contract: Contract, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Sign]:
    """What makes a thing that is deleted, and answers a secret with it; sure where one scheme can be meant."""
    for resource in resources.values():
        create, revoke = (contract.by_id.get(resource.get(word, "")) for word in ("create", "delete"))
        if create is None or revoke is None or not create.secured or contract.promise("key", create) is not None:
            continue
        if not COLLECTION.fullmatch(create.path[create.path.rstrip("/").rfind("/") :]):
            continue
        schemes = _schemes(contract, create)
        answer, asked = _answered(contract, create), _asked(contract, create)
        credential = _place(answer, SECRET, "string")
        if not schemes or not credential:
            continue
        end = _place(asked, NUMBER, "integer") or _place(asked, MOMENT, "string")
        until = _place(answer, MOMENT, "string")
        told = {"end": end, "until": until if end else ""}
        value = {"scheme": schemes[0], "credential": credential, "revoke": revoke.id}
        value |= {name: place for name, place in told.items() if place}
        evidence = f"it answers a text at {credential}, {revoke.id} takes it back, and it does not take {schemes[0]!r}"
        scopes = _place(asked, SCOPES, "array") or _place(asked, SCOPES, "string")
        evidence += f"; what {scopes} grants is not told: write scopes and grants" if scopes else ""
        yield Sign("key", value, evidence, create.id, sure=len(schemes) == 1)


def _schemes(contract: Contract, create: Operation) -> list[str]:
    """Schemes for a secret in a header or a cookie by which others are called, alone, and the create itself is not."""
    components = contract.document.get("components")
    told = components.get("securitySchemes") if isinstance(components, dict) else None
    own = {name for way in create.schemes for name in way}
    used = {way[0] for operation in contract.operations for way in operation.schemes if len(way) == 1}
    found = []
    for name, entry in told.items() if isinstance(told, dict) else ():
        scheme = contract.schema(entry)
        carried = scheme.get("type") == "apiKey" and scheme.get("in") in {"header", "cookie"}
        bearer = scheme.get("type") == "http" and str(scheme.get("scheme", "")).lower() == "bearer"
        if (carried or bearer) and name in used - own:
            found.append(name)
    return found


def _answered(contract: Contract, operation: Operation) -> Mapping[str, Any]:
    success = operation.success()
    body = next((item for item in success.bodies if is_json(item.media_type)), None) if success is not None else None
    return _members(contract, body.schema) if body is not None else {}


def _asked(contract: Contract, operation: Operation) -> Mapping[str, Any]:
    body = operation.json_body()
    return _members(contract, body.schema) if body is not None else {}


def _members(contract: Contract, schema: Any) -> Mapping[str, Any]:
    told = flattened(contract, schema).get("properties")
    return {name: flattened(contract, member) for name, member in told.items()} if isinstance(told, dict) else {}


def _place(members: Mapping[str, Any], names: set[str], kind: str) -> str:
    """The pointer of the first member of the kind that has one of the names; empty where none has."""
    for name, member in members.items():
        types = member.get("type")
        if naming.plain(name) in {naming.plain(item) for item in names} and kind in (
            types if isinstance(types, list) else [types]
        ):
            return f"/{pointer.escape(name)}"
    return ""
