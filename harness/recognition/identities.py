"""How callers are had, as the document shows it: the operation that registers, the one that logs in, its token."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import naming
from harness.contract.example import is_password
from harness.contract.makers import Makers
from harness.contract.shape import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract, Operation
    from harness.contract.shape import Leaf

LOGIN = re.compile(r"log-?_?in|sign-?_?in|authenticat|(?:^|[/_.-])(?:auth|sessions?|tokens?)$", re.IGNORECASE)
REGISTER = re.compile(r"regist|sign-?_?up|join$|(?:^|[/_.-])(?:accounts?|users?)$", re.IGNORECASE)
NAMES = ("email", "emailaddress", "username", "login", "user", "name", "account", "identifier")
TOKENS = ("accesstoken", "token", "jwt", "authtoken", "bearertoken", "sessiontoken", "idtoken")
ADDRESS, NAME, PASSWORD = "{name}@example.test", "{name}", "{password}"
MAX_WRAPPED = 3


@dataclass(frozen=True, slots=True)
class Entrance:
    """One table of [identities]: the operation and what it takes; `sure` where nothing of it is a guess."""

    operation: str
    body: dict[str, Any]
    evidence: str
    token: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    sure: bool = True


def login(contract: Contract) -> Entrance | None:
    """The operation that takes a name and a password and answers a token; None where none does."""
    makers = Makers(contract)
    for operation in _named(contract, LOGIN):
        body = _body(contract, operation)
        token = _token(makers.answer(operation))
        name = next((leaf for leaf in body if naming.plain(leaf.name) in NAMES), None)
        password = next((leaf for leaf in body if is_password(leaf.name)), None)
        if token is None or name is None or password is None:
            continue
        told = ADDRESS if _is_address(name) else NAME
        rest, known = _rest(body, {name.name: told, password.name: PASSWORD})
        evidence = f"{operation.method} {operation.path} takes {name.name} and {password.name} and answers {token}"
        if operation.json_body() is None:
            evidence += "; it takes a form, which no login here sends: give a token by --bearer, or a JSON operation"
        return Entrance(operation.id, rest, evidence, token, sure=known and operation.json_body() is not None)
    return None


def register(contract: Contract, entered: Entrance | None) -> Entrance | None:
    """The open operation that makes an account with a password; None where none does."""
    makers = Makers(contract)
    for operation in _named(contract, REGISTER):
        body = _body(contract, operation)
        password = next((leaf for leaf in body if is_password(leaf.name)), None)
        is_open = not operation.secured or operation.optional_security
        if password is None or not is_open or (entered is not None and operation.id == entered.operation):
            continue
        told: dict[str, Any] = {leaf.name: PASSWORD for leaf in body if is_password(leaf.name)}
        told |= {leaf.name: ADDRESS if _is_address(leaf) else NAME for leaf in body if naming.plain(leaf.name) in NAMES}
        required = {leaf.name for leaf in body if leaf.required}
        wanted = required | set(entered.body if entered is not None else ()) | ({*told} if not required else set())
        rest, known = _rest(body, {name: value for name, value in told.items() if name in wanted})
        identifier = makers.id_of(operation)
        facts = {"id": identifier.pointer} if identifier is not None else {}
        evidence = f"{operation.method} {operation.path} asks for no credentials and takes {password.name}"
        told_open = any(item.secured for item in contract.operations)
        evidence += "" if told_open else "; but neither does any other operation of the document"
        sure = known and told_open and operation.json_body() is not None
        return Entrance(operation.id, rest, evidence, facts=facts, sure=sure)
    return None


def key_header(contract: Contract) -> str:
    """The header that an API key stands in; empty where the document tells none."""
    components = contract.document.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else None
    for scheme in schemes.values() if isinstance(schemes, dict) else ():
        if isinstance(scheme, dict) and scheme.get("type") == "apiKey" and scheme.get("in") == "header":
            return str(scheme.get("name", ""))
    return ""


def _named(contract: Contract, words: re.Pattern[str]) -> Iterator[Operation]:
    """POSTs whose path's last word or whose own name says so; those without path parameters."""
    for operation in contract.operations:
        last = operation.path.rstrip("/").rpartition("/")[2]
        named = words.search(f"/{last}") or words.search(operation.id.rpartition(".")[2])
        if named and operation.method == "POST" and not operation.path_parameters:
            yield operation


def _body(contract: Contract, operation: Operation) -> list[Leaf]:
    declared = operation.json_body() or operation.form_body()
    found = leaves(contract, declared.schema, written=True) if declared is not None else ()
    return [leaf for leaf in found if leaf.pointer.count("/") == 1 and "*" not in leaf.pointer]


def _is_address(leaf: Leaf) -> bool:
    return leaf.schema.get("format") == "email" or naming.plain(leaf.name) in {"email", "emailaddress"}


def _token(answer: tuple[Leaf, ...]) -> str | None:
    near = [leaf for leaf in answer if leaf.pointer.count("/") <= MAX_WRAPPED and naming.plain(leaf.name) in TOKENS]
    return min(near, key=lambda leaf: TOKENS.index(naming.plain(leaf.name))).pointer if near else None


def _rest(body: list[Leaf], told: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The body with what else is required, as the document gives it; and whether it gives all of that."""
    missing = [leaf for leaf in body if leaf.required and leaf.name not in told]
    given = {leaf.name: _given(leaf) for leaf in missing if leaf.given}
    return {**told, **given}, len(given) == len(missing)


def _given(leaf: Leaf) -> Any:
    schema = leaf.schema
    listed = next((schema[key] for key in ("enum", "examples") if schema.get(key)), [""])
    return next((schema[key] for key in ("const", "default", "example") if key in schema), listed[0])
