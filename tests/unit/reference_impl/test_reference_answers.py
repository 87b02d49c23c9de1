"""The forms of an answer: compressed, indented, acceptable, in time, and readable by other origins."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import TYPE_CHECKING

import brotli
import pytest
import zstandard

from reference_impl.application import Parts
from reference_impl.contract.procedure import ANYONE, Procedure, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

    from reference_impl.contract.procedure import Call

DECODERS = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}
PLAIN = {"Accept-Encoding": "identity"}
OWN = "https://front.test"
ASKS = {"Origin": OWN, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}


def received(shop: Shop, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """The answer as it is on the wire, which httpx would decode."""

    async def run() -> tuple[int, dict[str, str], bytes]:
        async with shop.client.stream(method, path, headers={"Accept-Encoding": "identity", **headers}) as answer:
            return answer.status_code, dict(answer.headers), b"".join([part async for part in answer.aiter_raw()])

    return shop.runner.run(run())


def seen(headers: dict[str, str], name: str) -> set[str]:
    """The names in a header that is a list."""
    return {part.strip() for part in headers.get(name, "").split(",") if part.strip()}


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_a_large_answer_is_compressed_as_asked(shop: Shop, name: str) -> None:
    """The bytes are those of the plain answer, fewer, with their coding and length told; HEAD tells the coding too."""
    _, plain_headers, plain = received(shop, "GET", "/openapi.json")
    _, headers, body = received(shop, "GET", "/openapi.json", **{"Accept-Encoding": name})
    assert (headers["content-encoding"], DECODERS[name](body)) == (name, plain)
    assert int(headers["content-length"]) == len(body) < len(plain) / 4
    assert "Accept-Encoding" in seen(headers, "vary") & seen(plain_headers, "vary")
    assert "content-encoding" not in plain_headers
    _, head_headers, nothing = received(shop, "HEAD", "/openapi.json", **{"Accept-Encoding": name})
    assert (head_headers["content-encoding"], nothing) == (name, b"")


def test_a_small_answer_is_compressed_only_where_plain_is_refused(shop: Shop) -> None:
    """Under the size it goes plain, unless identity is refused; then with no coding left it is 406."""
    assert "content-encoding" not in received(shop, "GET", "/health", **{"Accept-Encoding": "gzip"})[1]
    headers = received(shop, "GET", "/health", **{"Accept-Encoding": "gzip, identity;q=0"})[1]
    assert headers["content-encoding"] == "gzip"
    assert received(shop, "GET", "/health", **{"Accept-Encoding": "identity;q=0"})[0] == 406


def test_an_answer_without_body_is_not_compressed(shop: Shop) -> None:
    """A 204 has no coding."""
    headers = received(shop, "OPTIONS", "/api/v1/products", **{"Accept-Encoding": "gzip, identity;q=0"})[1]
    assert "content-encoding" not in headers


def test_if_match_round_trips_through_a_coding(open_shop: Callable[..., Shop]) -> None:
    """A compressed product has a tag of its own; sent back it is the version that was seen, once."""
    shop = open_shop(compress_from_bytes=1)
    path = f"/products/{shop.product(shop.admin)['id']}"
    told = shop.send("GET", path, headers={"Accept-Encoding": "br"})
    plain = shop.send("GET", path, headers={"Accept-Encoding": "identity"})
    assert (told.headers["etag"], plain.headers["etag"]) == ('"1-br"', '"1"')
    assert told.json() == plain.json()
    operation = shop.send("GET", "/openapi.json").json()["paths"]["/api/v1/products/{id}"]["patch"]
    (taken,) = [one["schema"] for one in operation["parameters"] if one.get("name") == "If-Match"]
    assert all(re.fullmatch(taken["pattern"], answer.headers["etag"]) for answer in (told, plain))

    def update(tag: str) -> int:
        return shop.send("PATCH", path, shop.admin, json={"name": "B"}, headers={"If-Match": tag}).status_code

    assert [update('W/"1-br"'), update('"1-br"'), update('"1-br"'), update('"2"')] == [412, 200, 412, 200]


def test_pretty_indents_every_json(shop: Shop) -> None:
    """Answers, errors and health; the value is the same; beside a procedure's own parameters."""
    for path in ("/products?limit=5&", "/nope?", "/health?", "/openapi.json?"):
        plain = shop.send("GET", path + "pretty=false", headers=PLAIN)
        for word in ("pretty", "pretty=", "pretty=true"):
            answer = shop.send("GET", path + word, headers=PLAIN)
            assert answer.status_code == plain.status_code
            assert (b"\n  " in answer.content, b"\n  " in plain.content) == (True, False)
            assert set(answer.json()) == set(plain.json())
            assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("query", ["pretty=1", "pretty&pretty", "pretty=true&pretty=false", "prettyy", "apretty=true"])
def test_another_pretty_is_400(shop: Shop, query: str) -> None:
    """Its values and its number are bounded like those of any parameter."""
    assert shop.send("GET", f"/products?{query}").status_code == 400


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "text/event-stream"])
def test_what_is_not_asked_for_is_406_and_not_done(shop: Shop, accept: str) -> None:
    """The refusal comes in the envelope before anything is changed; what answers no body asks nothing of Accept."""
    refused = shop.send("POST", "/categories", shop.admin, headers={"Accept": accept}, json={"name": "A"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (406, "NOT_ACCEPTABLE")
    assert shop.send("GET", "/categories").json()["total"] == 0
    path = f"/categories/{shop.category()}"
    assert shop.send("DELETE", path, shop.admin, headers={"Accept": accept}).status_code == 204


def test_an_allowed_origin_may_read(open_shop: Callable[..., Shop]) -> None:
    """Success and errors name the origin, allow credentials and expose what a client needs."""
    shop = open_shop(cors_origins=(OWN, "http://localhost:3000"))
    for path in ("/products", "/nope", "/products?limit=0"):
        headers = dict(shop.send("GET", path, headers={"Origin": OWN}).headers)
        assert headers["access-control-allow-origin"] == OWN
        assert headers["access-control-allow-credentials"] == "true"
        assert {"X-Request-ID", "ETag", "Location", "RateLimit-Remaining"} <= seen(
            headers, "access-control-expose-headers"
        )
        assert "Origin" in seen(headers, "vary")


def test_a_preflight_is_answered_whole(open_shop: Callable[..., Shop]) -> None:
    """Methods, headers and the age are told without tenant, token or quota."""
    shop = open_shop(cors_origins=(OWN,), global_quota=1)
    for _ in range(3):
        answer = shop.send("OPTIONS", "/products", headers={**ASKS, "X-Tenant-ID": "nope"})
        headers = dict(answer.headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (headers["access-control-allow-origin"], headers["access-control-max-age"]) == (OWN, "86400")
        assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= seen(headers, "access-control-allow-methods")
        assert {"Authorization", "Content-Type", "If-Match", "Idempotency-Key"} <= seen(
            headers, "access-control-allow-headers"
        )


@pytest.mark.parametrize("origin", ["https://evil.test", "https://front.test.evil.test", "http://front.test", "null"])
def test_a_foreign_origin_gets_no_word(open_shop: Callable[..., Shop], origin: str) -> None:
    """Neither a preflight nor an answer names an origin; caches are told that the origin counts."""
    shop = open_shop(cors_origins=(OWN,))
    for method, told in (("OPTIONS", {**ASKS, "Origin": origin}), ("GET", {"Origin": origin})):
        headers = dict(shop.send(method, "/products", headers=told).headers)
        assert [name for name in headers if name.startswith("access-control-")] == []
        assert "Origin" in seen(headers, "vary")


async def _slow(_call: Call[None, None]) -> Reply:
    await asyncio.Event().wait()
    return Reply()


def test_slow_work_is_cancelled_and_504(open_shop: Callable[..., Shop]) -> None:
    """The envelope says TIMEOUT and that it may be tried again."""
    slow = Procedure(
        id="slow.wait",
        method="POST",
        path="/slow",
        summary="Never ends",
        handler=_slow,
        access=ANYONE,
        limit="update",
        status=204,
    )
    shop = open_shop(Parts(procedures=(*Parts().procedures, slow)), edge__timeout_s=0.5)
    answer = shop.send("POST", "/slow")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["retryable"]) == (504, "TIMEOUT", True)
    assert answer.headers["x-ratelimit-limit"]
