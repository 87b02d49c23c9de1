"""What every response carries, who is let in, and what limits tell."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from reference_impl.application import Parts
from reference_impl.edge.answers import envelope
from reference_impl.edge.outer import Outer, Watchers
from reference_impl.edge.request_log import report
from reference_impl.identity.addresses import client_address, plain
from reference_impl.identity.tokens import AUDIENCE, ISSUER
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

    from reference_impl.edge.exchange import Exchange


@pytest.mark.parametrize("told", ["abc-DEF_1", "x" * 64])
def test_a_fitting_request_id_is_kept(shop: Shop, told: str) -> None:
    """The client's id comes back on success and on errors."""
    for path in ("/products", "/nope"):
        assert shop.send("GET", path, headers={"X-Request-ID": told}).headers["x-request-id"] == told


@pytest.mark.parametrize("told", ["", "x" * 65, "a b", "a\tb", "ä"])
def test_an_unfitting_request_id_is_replaced(shop: Shop, told: str) -> None:
    """Anything else gets an id of ours."""
    sent = {"X-Request-ID": told.encode("latin-1")}
    assert len(shop.send("GET", "/products", headers=sent).headers["x-request-id"]) == 36


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("PUT", "/products", 405), ("TRACE", "/products", 405), ("GET", "/orders", 401)],
)
def test_every_refusal_has_the_envelope_and_the_headers(shop: Shop, method: str, path: str, status: int) -> None:
    """Unknown paths, methods and callers are answered in one shape."""
    answer = shop.send(method, path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["requestId"], error["retryable"]) == (answer.headers["x-request-id"], False)
    assert answer.headers["x-frame-options"] == "DENY"
    assert {"server", "x-powered-by"}.isdisjoint(answer.headers)


def test_allow_is_complete_and_head_and_options_are_served(shop: Shop) -> None:
    """405 and OPTIONS name every method of the path; HEAD has GET's length and no body."""
    refused, options = shop.send("PUT", "/products"), shop.send("OPTIONS", "/products")
    assert refused.headers["allow"] == options.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert (options.status_code, options.content) == (204, b"")
    head, get = shop.send("HEAD", "/products"), shop.send("GET", "/products")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_a_large_body_is_413_told_or_streamed(shop: Shop) -> None:
    """The limit holds with Content-Length and without."""

    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 100_000

    headers = {"content-type": "application/json"}
    assert shop.send("POST", "/auth/login", content=b"x" * 1_048_577, headers=headers).status_code == 413
    assert shop.send("POST", "/auth/login", content=chunks(), headers=headers).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "application/xml"])
def test_another_media_type_is_415(shop: Shop, kind: str) -> None:
    """Bodies are JSON in UTF-8."""
    assert shop.send("POST", "/auth/login", content=b"{}", headers={"content-type": kind}).status_code == 415


def forged(shop: Shop, **claims: Any) -> str:
    """Return a token of the right key with some claims changed."""
    now = int(time.time())
    payload = jwt.decode(shop.admin.token, options={"verify_signature": False})
    merged = {**payload, "iat": now, **claims}
    key = shop.application.settings.identity.token_key
    return jwt.encode({name: value for name, value in merged.items() if value is not None}, key, algorithm="HS256")


def test_bad_tokens_are_401_on_open_routes_too(shop: Shop) -> None:
    """Expired, early, foreign, unsigned, unknown and scheme-less tokens are refused everywhere."""
    now = int(time.time())
    payload = jwt.decode(shop.admin.token, options={"verify_signature": False})
    bad = [
        f"Bearer {forged(shop, exp=now - 1)}",
        f"Bearer {forged(shop, nbf=now + 60)}",
        f"Bearer {forged(shop, aud='else')}",
        f"Bearer {forged(shop, iss='else')}",
        f"Bearer {forged(shop, ten='beta')}",
        f"Bearer {forged(shop, sid='01980000-0000-7000-8000-000000000000')}",
        f"Bearer {forged(shop, sid=None)}",
        f"Bearer {jwt.encode(payload, 'k' * 40, algorithm='HS256')}",
        f"Bearer {jwt.encode(payload, None, algorithm='none')}",
        "Bearer x",
        "Bearer",
        shop.admin.token,
        f"Basic {shop.admin.token}",
        "",
    ]
    assert (payload["aud"], payload["iss"]) == (AUDIENCE, ISSUER)
    for path in ("/products", "/auth/me", "/nope"):
        for header in bad:
            answer = shop.send("GET", path, headers={"Authorization": header})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="api"'), header
    assert shop.send("GET", "/health", headers={"Authorization": "Bearer x"}).status_code == 401
    assert shop.send("GET", "/health", shop.admin).status_code == 200


def test_a_token_expires_while_it_is_known(open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that was good a moment ago is 401 once its life is over."""
    shop = open_shop(token_life_s=60)
    assert shop.send("GET", "/auth/me", shop.admin).status_code == 200
    later = time.time() + 60
    monkeypatch.setattr("reference_impl.identity.tokens.time.time", lambda: later)
    assert shop.send("GET", "/auth/me", shop.admin).status_code == 401


def test_tenants_are_told_in_order_and_kept_apart(open_shop: Callable[..., Shop]) -> None:
    """Header, then label, then prefix, then default; an unknown one is 404; a token holds in its own only."""
    shop = open_shop(base_domain="api.test")
    shop.category("In alpha")

    def total(path: str, **headers: str) -> int:
        answer = shop.send("GET", path, headers=headers)
        return int(answer.json()["total"]) if answer.status_code == 200 else answer.status_code

    path = "/api/v1/categories"
    assert total(path) == 1
    assert total(path, **{"X-Tenant-ID": "beta"}) == 0
    assert total(path, Host="beta.api.test") == 0
    assert total(f"/t/beta{path}") == 0
    assert total(f"/t/beta{path}", Host="alpha.api.test") == 1
    assert total(path, Host="beta.api.test", **{"X-Tenant-ID": "alpha"}) == 1
    assert total(path, Host="10.0.0.1") == 1
    for unknown in ("nope", "../alpha", "ALPHA", "a" * 64):
        assert total(path, **{"X-Tenant-ID": unknown}) == 404
    assert total(f"/t/nope{path}") == 404
    assert shop.send("GET", f"/t/beta{path}", shop.admin).status_code == 401


def test_a_location_keeps_the_tenants_prefix(shop: Shop) -> None:
    """What was made under /t/alpha is found where Location says."""
    made = shop.send("POST", "/t/alpha/api/v1/categories", shop.admin, json={"name": "A"})
    assert made.headers["location"].startswith("/t/alpha/api/v1/categories/")
    assert shop.send("GET", made.headers["location"]).status_code == 200


def test_limits_are_told_and_kept(open_shop: Callable[..., Shop]) -> None:
    """Headers count down on every answer, the 429 has them too, admins are exempt from the global limit."""
    shop = open_shop()
    buyer = shop.account()
    answers = [shop.send("POST", "/orders", buyer, json={"items": []}) for _ in range(11)]
    assert [int(answer.headers["x-ratelimit-remaining"]) for answer in answers] == [*range(9, -1, -1), 0]
    refused = answers[-1]
    assert (refused.status_code, refused.json()["error"]["retryable"]) == (429, True)
    assert 1 <= int(refused.headers["retry-after"]) <= 4
    assert 0 < int(refused.headers["x-ratelimit-reset"]) - time.time() <= 5
    assert refused.headers["ratelimit-limit"] == str(shop.application.settings.limits.global_quota)
    assert "ratelimit-limit" not in shop.send("GET", "/products", shop.admin).headers
    other = shop.send("POST", "/orders", shop.account(), json={"items": []})
    assert other.headers["x-ratelimit-remaining"] == "9"


def test_the_global_limit_counts_every_path_of_a_caller(open_shop: Callable[..., Shop]) -> None:
    """Unknown paths count as well; another caller's quota stays whole; health is not counted."""
    shop = open_shop(global_quota=5)
    paths = ("/products", "/api/x", "/orders", "/users", "/products")
    statuses = [shop.send("GET", path).status_code for path in paths]
    assert statuses == [200, 404, 401, 401, 429]  # the admin's login was the first of the five
    assert shop.send("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer x"}, 401),
        ({"X-API-Key": "rk_alpha_x"}, 401),
        ({"Cookie": "session=x"}, 401),
        ({"X-Tenant-ID": "nope"}, 404),
    ],
)
def test_guesses_count_against_their_address(
    open_shop: Callable[..., Shop], headers: dict[str, str], status: int
) -> None:
    """A credential that does not hold, or a tenant that is not there, is looked at as often as the quota says."""
    shop = open_shop(global_quota=5)
    answers = [shop.send("GET", "/products", headers=headers) for _ in range(6)]
    assert {answer.status_code for answer in answers[:4]} == {status}
    assert (answers[-1].status_code, answers[-1].headers["ratelimit-remaining"]) == (429, "0")
    assert shop.send("GET", "/products", shop.admin).status_code == 200
    assert shop.send("GET", "/health", headers={"Authorization": "Bearer x"}).status_code == 401


def test_failed_logins_are_limited_and_tell_nothing(open_shop: Callable[..., Shop]) -> None:
    """A wrong password and an unknown account are answered alike; the eleventh failure is 429."""
    shop = open_shop(login_failures=10, login_failure_window_s=900.0)

    def fail(email: str) -> tuple[int, str]:
        body = {"email": email, "password": "wrong password"}
        answer = shop.send("POST", "/auth/login", json=body)
        return answer.status_code, answer.json()["error"]["message"]

    assert fail("admin@example.test") == fail("nobody@example.test")
    for _ in range(9):
        fail("admin@example.test")
    assert fail("admin@example.test")[0] == 429
    assert fail("nobody@example.test")[0] == 401


@pytest.mark.engines("sqlite")
def test_health_is_true_about_the_database(shop: Shop) -> None:
    """Gone files make it 503 with Retry-After and no word about them."""
    assert shop.send("GET", "/health").json()["database"] == "up"
    (shop.application.settings.storage.data / "tenants" / "alpha.sqlite").unlink()
    answer = shop.send("GET", "/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "sqlite" not in answer.text


def test_https_is_said_by_trusted_proxies_only(open_shop: Callable[..., Shop]) -> None:
    """Strict-Transport-Security stands on what came over https."""
    forwarded = {"X-Forwarded-Proto": "https"}
    trusting = open_shop(trusted_proxies=load({"API_TRUSTED_PROXIES": "127.0.0.1"}).edge.trusted_proxies)
    assert "strict-transport-security" in trusting.send("GET", "/products", headers=forwarded).headers
    assert "strict-transport-security" not in trusting.send("GET", "/products").headers
    assert "strict-transport-security" not in open_shop().send("GET", "/products", headers=forwarded).headers


def test_what_proxies_say_holds_for_refusals_too(open_shop: Callable[..., Shop]) -> None:
    """A request that is refused by its head alone came over https like any other."""
    proxies = load({"API_TRUSTED_PROXIES": "127.0.0.1"}).edge.trusted_proxies
    shop = open_shop(trusted_proxies=proxies)
    for more in ({"Content-Length": "99999999"}, {"Accept-Encoding": "identity;q=0"}):
        answer = shop.send("GET", "/products", headers={"X-Forwarded-Proto": "https", **more})
        assert answer.status_code in {406, 413}
        assert "strict-transport-security" in answer.headers


def test_a_refusal_before_routing_is_told_by_its_route(
    open_shop: Callable[..., Shop], capfd: pytest.CaptureFixture[str]
) -> None:
    """The line of a request with a bad token names the template that it would have met."""
    shop = open_shop(request_log=True)
    for path, route in (("/users/1", "/api/v1/users/{id}"), ("/products", "/api/v1/products"), ("/nope", "")):
        shop.send("GET", path, headers={"Authorization": "Bearer x"})
        assert f'"route":"{route}","status":401' in capfd.readouterr().err.splitlines()[-1]


def test_what_fails_after_it_began_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """The server breaks the response off; the log has the trace and the line under the same id."""
    seen: list[Exchange] = []

    async def breaks(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("in the middle")

    async def sent(_message: Any) -> None:
        pass

    app = Outer(breaks, envelope, Watchers((seen.append,), (report,)))
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": [(b"x-request-id", b"broken")]}
    with pytest.raises(RuntimeError, match="had begun"):
        asyncio.run(app(scope, sent, sent))  # type: ignore[arg-type]  # nothing is received
    log = capfd.readouterr().err
    assert ("in the middle" in log, '"requestId":"broken"' in log) == (True, True)
    assert [exchange.status for exchange in seen] == [200]


def test_the_log_line_tells_the_route_and_no_secret(
    open_shop: Callable[..., Shop], capfd: pytest.CaptureFixture[str]
) -> None:
    """One JSON line a request: id, tenant, user, method, template, status, duration."""
    shop = open_shop(request_log=True)
    answer = shop.send("GET", f"/users/{shop.admin.id}", shop.admin)
    line = capfd.readouterr().err.splitlines()[-1]
    assert f'"requestId":"{answer.headers["x-request-id"]}"' in line
    assert (
        f'"tenant":"alpha","user":"{shop.admin.id}","method":"GET","route":"/api/v1/users/{{id}}","status":200' in line
    )
    assert shop.admin.token not in line


def test_an_unexpected_error_is_a_bare_500(open_shop: Callable[..., Shop], capfd: pytest.CaptureFixture[str]) -> None:
    """The client gets the envelope; the trace goes to the log under the same id."""

    async def broken(_call: object) -> object:
        raise RuntimeError("SELECT secret FROM /etc")

    procedures = [replace(one, handler=broken) if one.id == "products.list" else one for one in PROCEDURES]
    shop = open_shop(Parts(procedures=tuple(procedures)))
    for method, path in (("GET", "/products"), ("POST", "/api/rpc/products/list")):
        answer = shop.send(method, path)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        log = capfd.readouterr().err
        assert "RuntimeError" in log
        assert answer.headers["x-request-id"] in log


def test_forwarded_addresses_count_from_trusted_proxies_only() -> None:
    """The nearest untrusted address is the client; without a trusted peer the header is noise."""
    proxies = load({"API_PROFILE": "verify", "API_TRUSTED_PROXIES": "10.0.0.0/8"}).edge.trusted_proxies
    assert client_address("9.9.9.9", "1.1.1.1", proxies) == "9.9.9.9"
    assert client_address("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", proxies) == "1.1.1.1"
    assert client_address("10.0.0.1", "nonsense", proxies) == "10.0.0.1"
    assert client_address("10.0.0.1", None, proxies) == "10.0.0.1"
    assert client_address("10.0.0.1", "1.1.1.1", ()) == "10.0.0.1"
    assert client_address("10.0.0.1", "::ffff:1.1.1.1", proxies) == "1.1.1.1"


def test_an_address_has_one_form() -> None:
    """A socket of both kinds shows an address of IPv4 as IPv6; it is the same client, and the same proxy."""
    assert [plain(told) for told in ("::ffff:10.0.0.1", "10.0.0.1", "2001:DB8:0::1", "testclient", "")] == [
        "10.0.0.1",
        "10.0.0.1",
        "2001:db8::1",
        "testclient",
        "",
    ]
