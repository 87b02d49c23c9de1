"""Calls over RPC in process: the same procedures, guards and limits as REST, and errors that keep the envelope."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from reference_impl.contract.procedure import ANYONE, Procedure
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.procedures.product_writes import create_product
from reference_impl.rpc.joined import JoinedInput
from reference_impl.rpc.transport import path_of
from tests.unit.reference_impl.rpc_calls import call, failure

if TYPE_CHECKING:
    from collections.abc import Callable


def test_every_procedure_has_its_path() -> None:
    """Each procedure of the catalogue stands at the path its id spells, and its input can be joined."""
    assert len({path_of(procedure) for procedure in PROCEDURES}) == len(PROCEDURES)
    for procedure in PROCEDURES:
        JoinedInput(procedure)


def test_a_procedure_whose_members_collide_is_refused() -> None:
    """A name that is both path parameter and body member stops start-up with the procedure's id."""

    class Body(msgspec.Struct):
        id: str

    procedure = Procedure("a.b", "POST", "/a/{id}", "A", create_product, ANYONE, "create", input=Body)
    with pytest.raises(ValueError, match=r"a\.b: .* rename one"):
        JoinedInput(procedure)


def test_a_product_lives_over_rpc(shop: Any) -> None:
    """Create, get, list, update and delete give over RPC what REST gives."""
    seller = shop.account("seller")
    body = {"name": "Bowl", "price": 19.99, "stock": 3, "categoryId": shop.category()}
    made = call(shop, "products/create", body, seller)
    assert made.status_code == 201, made.text
    product = made.json()["json"]
    assert made.headers["location"] == f"/api/v1/products/{product['id']}"
    assert made.headers["etag"] == '"1"'
    assert shop.send("GET", made.headers["location"]).json() == product
    assert call(shop, "products/get", {"id": product["id"]}).json() == {"json": product}
    listed = call(shop, "products/list", {"limit": 1, "minPrice": 19.99, "search": "bow"}).json()["json"]
    shown = {name: value for name, value in product.items() if name != "reviews"}
    assert (listed["total"], listed["items"]) == (1, [shown])
    patch = {"id": product["id"], "version": 1, "price": 5}
    changed = call(shop, "products/update", patch, seller)
    assert (changed.status_code, changed.json()["json"]["version"]) == (200, 2), changed.text
    assert failure(call(shop, "products/update", patch, seller))["code"] == "CONFLICT"
    missing = {"id": product["id"], "price": 5}
    assert failure(call(shop, "products/update", missing, seller))["code"] == "PRECONDITION_REQUIRED"
    deleted = call(shop, "products/delete", {"id": product["id"]}, seller)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert failure(call(shop, "products/get", {"id": product["id"]}))["status"] == 404


def test_headers_go_as_they_do_in_rest(shop: Any) -> None:
    """If-Match counts where the client sends it."""
    seller = shop.account("seller")
    product = shop.product(seller)
    body = {"json": {"id": product["id"], "stock": 1}}
    stale = shop.send("POST", "/api/rpc/products/update", seller, json=body, headers={"If-Match": '"7"'})
    assert failure(stale)["code"] == "PRECONDITION_FAILED"
    fresh = shop.send("POST", "/api/rpc/products/update", seller, json=body, headers={"If-Match": '"1"'})
    assert fresh.json()["json"]["stock"] == 1


def test_a_safe_procedure_is_called_by_get(shop: Any) -> None:
    """GET with `data`, with none, and HEAD serve what only reads; a write by GET is 405 with Allow."""
    data = json.dumps({"json": {"limit": "5"}, "meta": [[0, "limit"]]})
    answer = shop.send("GET", "/api/rpc/products/list", params={"data": data})
    assert (answer.status_code, answer.json()["json"]["items"]) == (200, [])
    assert shop.send("GET", "/api/rpc/products/list").status_code == 200
    head = shop.send("HEAD", "/api/rpc/products/list")
    assert (head.status_code, head.content) == (200, b"")
    refused = shop.send("GET", "/api/rpc/products/create")
    assert failure(refused)["code"] == "METHOD_NOT_ALLOWED"
    assert refused.headers["allow"] == "OPTIONS, POST"


def test_guards_and_limits_are_those_of_rest(open_shop: Callable[..., Any], settings: Any) -> None:
    """Roles are asked for, and a call over RPC and one over REST spend one quota."""
    shop = open_shop()
    quotas = settings.limits.quotas
    user = shop.account()
    assert failure(call(shop, "products/create", {}))["code"] == "UNAUTHORIZED"
    assert failure(call(shop, "products/create", {}, user))["code"] == "FORBIDDEN"
    assert failure(shop.send("POST", "/api/rpc/users/me", headers={"Authorization": "Bearer x"}))["status"] == 401
    left = []
    for turn in range(4):
        answer = call(shop, "categories/list") if turn % 2 else shop.send("GET", "/categories")
        left.append(int(answer.headers["x-ratelimit-remaining"]))
        assert int(answer.headers["x-ratelimit-limit"]) == quotas.list
        assert "ratelimit-remaining" in answer.headers
    assert left == [quotas.list - 1 - turn for turn in range(4)]


def test_an_unknown_procedure_and_an_unknown_tenant_are_404(shop: Any) -> None:
    """Errors of the layers have the protocol's form too, under a tenant's prefix as well."""
    assert failure(call(shop, "products/nope"))["code"] == "NOT_FOUND"
    assert failure(call(shop, "__proto__"))["code"] == "NOT_FOUND"
    unknown = shop.send("POST", "/t/nowhere/api/rpc/products/list", json={"json": {}})
    assert failure(unknown)["message"] == "No such tenant."
    assert shop.send("POST", "/t/beta/api/rpc/products/list", json={"json": {}}).json()["json"]["total"] == 0


def test_accept_and_pretty_hold_as_in_rest(shop: Any) -> None:
    """Another media type is 406, `?pretty` indents, over GET and in a call that fails too."""
    path = "/api/rpc/products/list"
    assert failure(shop.send("POST", path, json={"json": {}}, headers={"Accept": "text/html"}))["status"] == 406
    assert shop.send("POST", f"{path}?pretty", json={}).text.startswith('{\n  "json": {\n    "items"')
    assert shop.send("GET", f"{path}?data=%7B%7D&pretty").text.startswith('{\n  "json"')
    assert shop.send("POST", f"{path}?pretty", json=[]).text.startswith('{\n  "json"')


def test_a_session_cookie_needs_the_csrf_token(shop: Any) -> None:
    """By cookie a call by POST needs the session's token, one by GET does not, and a batch is no way round."""
    login = {"email": "admin@example.test", "password": "correct horse battery", "cookie": True}
    answer = call(shop, "auth/login", login)
    told = dict(one.split(";")[0].split("=", 1) for one in answer.headers.get_list("set-cookie"))
    shop.client.cookies.clear()
    browser = {"Cookie": f"session={told['session']}; csrf={told['csrf']}"}
    path, body = "/api/rpc/categories/create", {"json": {"name": "By cookie"}}
    assert failure(shop.send("POST", path, json=body, headers=browser))["code"] == "FORBIDDEN"
    assert shop.send("GET", "/api/rpc/auth/me", headers=browser).status_code == 200
    batch = {"x-orpc-batch": "buffered", **browser}
    parts = [{"url": path, "body": body}, {"url": "/api/rpc/auth/me", "method": "GET"}]
    assert [item["status"] for item in shop.send("POST", "/api/rpc/a", json=parts, headers=batch).json()] == [403, 200]
    parts[0]["headers"] = {"origin": "http://shop.test", "x-csrf-token": told["csrf"]}
    assert shop.send("POST", "/api/rpc/a", json=parts, headers=batch).json()[0]["status"] == 403
    allowed = {**browser, "X-CSRF-Token": told["csrf"]}
    assert shop.send("POST", path, json=body, headers=allowed).status_code == 201
