"""A till in memory whose payments may be sent again with a key; with a named defect it breaks that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import Contract
from tests.unit.harness.promises.toy import Refused, Toy, caller_of, tenant_of

if TYPE_CHECKING:
    from harness.exchange import Request

TEXT = {"type": "string", "minLength": 1, "maxLength": 80}
LONGEST = 64
PROMISED = {
    "header": "Idempotency-Key",
    "scope": "caller",
    "other_body": 422,
    "replays": "answer",
    "replayed": "Replayed",
    "refusals": "forgotten",
    "missing": 400,
    "max_length": LONGEST,
    "too_long": 400,
}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _operation(name: str, body: Any = None, answer: Any = None, **promises: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}} if answer else {}
    taken = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
    said = {"200": {"description": "", **({"content": content} if content else {})}}
    return {"operationId": name, "responses": said, "x-promises": promises, **taken}


LEDGER = {"resource": "account", "quantity": "/left", "draw": "/amount", "key": "/accountId"}


def contract(*, ledger: bool = False, **changes: Any) -> Contract:
    """The till's contract; `changes` are members of the promise, None for one that is left out."""
    promised = {key: value for key, value in (PROMISED | changes).items() if value is not None}
    signed_in = {"roles": {"allow": ["signed-in"]}}
    payment = _object(accountId=TEXT, amount={"type": "integer", "minimum": 1, "maximum": 40})
    shown = _object(id=TEXT, accountId=TEXT, amount={"type": "integer"})
    drawn = {"ledger": LEDGER} if ledger else {}
    account = _object(id=TEXT, left={"type": "integer"})
    one = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    paths = {
        "/login": {"post": _operation("login", _object(name=TEXT))},
        "/people": {"post": _operation("people.create", _object(name=TEXT))},
        "/accounts": {"post": _operation("accounts.create", _object(name=TEXT), account, **signed_in)},
        "/accounts/{id}": {"parameters": one, "get": _operation("accounts.get", None, account)},
        "/payments": {
            "post": _operation("payments.create", payment, shown, idempotency=promised, **drawn, **signed_in),
            "get": _operation("payments.list", None, {"type": "array", "items": shown}, **signed_in),
        },
        "/payments/{id}": {"parameters": one, "get": _operation("payments.get", None, shown, **signed_in)},
    }
    document = {"openapi": "3.1.0", "info": {"title": "till", "version": "1"}, "paths": paths}
    return Contract.read(document, "till")


@dataclass
class Till(Toy):
    """Payments by caller, and what each key was answered."""

    contract: Contract = field(default_factory=contract)
    accounts: dict[str, int] = field(default_factory=dict)
    payments: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[tuple[str, ...], tuple[Any, Any]] = field(default_factory=dict)
    under_way: set[tuple[str, ...]] = field(default_factory=set)

    def handle(self, request: Request) -> Any:
        """Any operation."""
        yield
        name, body = request.operation, request.json() or {}
        if name == "login":
            return 200, (), {"token": f"t-{body['name']}"}
        if name == "people.create":
            return 201, (), {"id": body["name"]}
        if not caller_of(request):
            raise Refused(401)
        if name == "accounts.create":
            account = f"account{next(self.numbers)}"
            self.accounts[account] = 1000
            return 201, (), {"id": account, "left": 1000}
        if name == "payments.create":
            return (yield from self.pay(request, body))
        return self.read(name, request)

    def read(self, name: str, request: Request) -> Any:
        """The caller's own payments, or an account."""
        own = [pay["shown"] for pay in self.payments if pay["by"] == caller_of(request)]
        if name == "payments.list":
            return 200, (), own
        wanted = request.path.rsplit("/", 1)[-1]
        if name == "accounts.get":
            return 200, (), {"id": wanted, "left": self.accounts[wanted]}
        found = next((item for item in own if item["id"] == wanted), None)
        return (404, (), None) if found is None else (200, (), found)

    def pay(self, request: Request, body: dict[str, Any]) -> Any:
        """A payment, as often as its key is new."""
        text = dict(request.headers).get("Idempotency-Key")
        if (text is None and not self.has("no key")) or (len(text or "") > LONGEST and not self.has("any length")):
            raise Refused(422 if self.has("other status") else 400)
        text = (text or "")[: 60 if self.has("cuts keys") else None]
        whose = () if self.has("one space of keys") else (tenant_of(request), caller_of(request))
        whose = (tenant_of(request),) if self.has("keys of the tenant") else whose
        key = (*whose, text)
        if self.has("ignores keys"):
            return self.done(request, body)
        if self.has("look, then pay"):
            yield
        while key in self.under_way and not self.has("look, then pay"):
            if self.has("busy"):
                raise Refused(409)
            if self.has("refuses beside"):
                raise Refused(403)
            yield
        if key in self.kept:
            return self.replay(*self.kept[key], request, body)
        self.under_way.add(key)
        if self.has("keeps before") or self.has("poisons"):
            self.kept[key] = (body, None)
        yield
        try:
            answer = self.done(request, body)
        finally:
            self.under_way.discard(key)
        self.kept[key] = (body, answer)
        return answer

    def replay(self, first: Any, answer: Any, request: Request, body: dict[str, Any]) -> Any:
        """What a used key is answered."""
        if first != body and not self.has("any body"):
            if self.has("acts all the same"):
                self.done(request, body)
            raise Refused(409 if self.has("other status") else 422)
        if self.has("pays anew for another body") and first != body:
            return self.done(request, body)
        if answer is None:
            raise Refused(409)
        if self.has("refuses again"):
            raise Refused(409)
        if self.has("draws again"):
            self.accounts[body["accountId"]] -= body["amount"]
        status, _, shown = answer
        shown = {**shown, "amount": 0} if self.has("answers otherwise") else shown
        return status, (() if self.has("silent") else (("Replayed", "true"),)), shown

    def done(self, request: Request, body: dict[str, Any]) -> Any:
        """One payment."""
        if not isinstance(body.get("accountId"), str) or not isinstance(body.get("amount"), int):
            raise Refused(400)
        if body["accountId"] not in self.accounts:
            raise Refused(404)
        self.accounts[body["accountId"]] -= body["amount"]
        shown = {"id": f"pay{next(self.numbers)}", **body}
        if not self.has("forgets"):
            self.payments.append({"by": caller_of(request), "shown": shown})
        if self.has("pays twice"):
            self.payments.append({"by": caller_of(request), "shown": {**shown, "id": f"pay{next(self.numbers)}"}})
        return 201, (), shown
