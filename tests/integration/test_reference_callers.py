"""Who is calling, asked of two real workers: forged tokens, sessions that end, refreshes and limits at once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from tests.servers.api import ADMIN, PASSWORD, Api
from tests.servers.redis import BINARY, MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


KEY = "k" * 40
QUOTA = 40
TRUST = ssl.create_default_context()  # asked of nobody here, and dear to make for each request


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, database: Callable[[], dict[str, str]]) -> Iterator[Api]:
    """Two workers over a Redis, and few requests in a long window for each address that nobody named."""
    if BINARY is None:
        pytest.skip(MISSING)
    folder: Path = tmp_path_factory.mktemp("callers")
    redis = RedisServer(folder)
    redis.start()
    installed = Api(
        folder,
        API_REDIS_URL=redis.url,
        API_TOKEN_KEY=KEY,
        API_GLOBAL_QUOTA=str(QUOTA),
        API_GLOBAL_WINDOW_S="600",
        API_TRUSTED_PROXIES="127.0.0.1",
        **database(),
    )
    installed.set_up("alpha", "beta")
    installed.start("--workers", "2")
    yield installed
    installed.stop()
    redis.stop()


def sent(api: Api, path: str, address: str, method: str = "GET", **options: Any) -> httpx.Response:
    """One request on a connection of its own, which either worker may take, from an address that a proxy tells."""
    headers = {"X-Forwarded-For": address, **options.pop("headers", {})}
    return httpx.request(method, f"{api.url}{path}", headers=headers, timeout=30, verify=TRUST, **options)


def login(api: Api, address: str) -> dict[str, Any]:
    """A session of the admin's."""
    answer = sent(api, "/api/v1/auth/login", address, "POST", json={"email": ADMIN, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def encoded(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(header: dict[str, Any], payload: dict[str, Any], digest: Callable[..., Any] = hashlib.sha256) -> str:
    """A token whose signature is made with the server's own key, whatever its header says."""
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, payload))
    return f"{text}.{encoded(hmac.new(KEY.encode(), text.encode(), digest).digest())}"


def forgeries(token: str) -> dict[str, str]:
    """Tokens that must not hold, by what is wrong with them."""
    payload = jwt.decode(token, options={"verify_signature": False})
    now = int(time.time())
    head, body, signature = token.split(".")
    typed = {"alg": "HS256", "typ": "JWT"}
    unsigned = encoded(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return {
        "no algorithm": f"{unsigned}.{body}.",
        "no algorithm, with a signature": f"{unsigned}.{body}.{signature}",
        "no algorithm, spelt otherwise": signed({"alg": "nOnE"}, payload),
        "RS256 signed with the shared key": signed({"alg": "RS256", "typ": "JWT"}, payload),
        "ES256 signed with the shared key": signed({"alg": "ES256", "typ": "JWT"}, payload),
        "HS512 of the same key": signed({"alg": "HS512", "typ": "JWT"}, payload, hashlib.sha512),
        "a key of its own in the header": jwt.encode(
            payload, "z" * 40, headers={"jwk": {"kty": "oct", "k": encoded(b"z" * 40)}}
        ),
        "another key": jwt.encode(payload, "z" * 40),
        "no signature": f"{head}.{body}.",
        "a changed payload": f"{head}.{encoded(json.dumps({**payload, 'sub': 'x'}).encode())}.{signature}",
        "over": signed(typed, {**payload, "exp": now - 1}),
        "not begun": signed(typed, {**payload, "nbf": now + 3600}),
        "issued later than now": signed(typed, {**payload, "iat": now + 3600}),
        "for a ticket's audience": signed(typed, {**payload, "aud": "reference-impl-sockets"}),
        "for others": signed(typed, {**payload, "aud": ["others"]}),
        "of another issuer": signed(typed, {**payload, "iss": "others"}),
        "without an end": signed(typed, {name: value for name, value in payload.items() if name != "exp"}),
        "of another tenant": signed(typed, {**payload, "ten": "beta"}),
        "of no tenant": signed(typed, {**payload, "ten": "../alpha"}),
        "of no session": signed(typed, {**payload, "sid": "' OR 1=1 --"}),
        "of a number": signed(typed, {**payload, "sid": 1}),
        "no object": f"{head}.{encoded(b'[1]')}.{signature}",
        "nothing": "..",
    }


def test_a_forged_token_is_401_on_every_kind_of_route(api: Api) -> None:
    """Closed, open, unknown, RPC and without a tenant: it is refused, with the challenge."""
    token = login(api, "10.1.0.1")["accessToken"]
    payload = jwt.decode(token, options={"verify_signature": False})
    again = signed({"alg": "HS256", "typ": "JWT"}, payload)
    good = sent(api, "/api/v1/auth/me", "10.1.0.1", headers={"Authorization": f"Bearer {again}"})
    assert good.status_code == 200, good.text
    paths = ("/api/v1/auth/me", "/api/v1/products", "/api/rpc/products/list", "/api/nope", "/health")
    for number, (what, forged) in enumerate(forgeries(token).items()):
        for path in paths:
            answer = sent(api, path, f"10.1.1.{number}", headers={"Authorization": f"Bearer {forged}"})
            assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True), (what, path, answer.text)
            assert forged not in answer.text


def test_of_refreshes_at_once_over_workers_one_wins(api: Api) -> None:
    """Ten hands send one refresh token to two workers: at most one gets a pair, and its session is over then."""
    refresh_token = login(api, "10.2.0.1")["refreshToken"]

    async def run() -> list[httpx.Response]:
        async def one(number: int) -> httpx.Response:
            async with httpx.AsyncClient(timeout=30) as client:
                return await client.post(
                    f"{api.url}/api/v1/auth/refresh",
                    json={"refreshToken": refresh_token},
                    headers={"X-Forwarded-For": f"10.2.1.{number}"},
                )

        return await asyncio.gather(*[one(number) for number in range(10)])

    answers = asyncio.run(run())
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    for _ in range(6):
        headers = {"Authorization": f"Bearer {winner['accessToken']}"}
        assert sent(api, "/api/v1/auth/me", "10.2.0.2", headers=headers).status_code == 401


def test_a_logout_holds_with_every_worker_at_once(api: Api) -> None:
    """A token that both workers have seen is refused by both from the logout's answer on."""
    headers = {"Authorization": f"Bearer {login(api, '10.3.0.1')['accessToken']}"}
    assert {sent(api, "/api/v1/auth/me", "10.3.0.1", headers=headers).status_code for _ in range(10)} == {200}
    assert sent(api, "/api/v1/auth/logout", "10.3.0.1", "POST", headers=headers).status_code == 204
    assert {sent(api, "/api/v1/auth/me", "10.3.0.1", headers=headers).status_code for _ in range(10)} == {401}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}])
def test_workers_keep_one_count_of_an_address(api: Api, headers: dict[str, str]) -> None:
    """Requests at once over both workers: as many are let in as the quota says, guesses of tokens among them."""
    address = f"10.4.0.{len(headers)}"

    async def run() -> list[int]:
        async def one() -> int:
            async with httpx.AsyncClient(timeout=30) as client:
                told = {"X-Forwarded-For": f"6.6.6.6, {address}", **headers}
                return (await client.get(f"{api.url}/api/v1/products", headers=told)).status_code

        return await asyncio.gather(*[one() for _ in range(QUOTA + 15)])

    statuses = asyncio.run(run())
    assert statuses.count(429) == 15
    assert set(statuses) == {401 if headers else 200, 429}
    assert sent(api, "/api/v1/products", "10.4.9.9").status_code == 200


def test_secrets_are_written_nowhere(api: Api, tmp_path: Path) -> None:
    """No password, token, key or ticket that went over the wire stands in a log, a metric or a file of the data."""
    address, wrong = "10.5.0.1", "hunter2 wrong password"
    sent(api, "/api/v1/auth/login", address, "POST", json={"email": ADMIN, "password": wrong})
    first = login(api, address)
    renewal = {"refreshToken": first["refreshToken"], "cookie": True}
    answer = sent(api, "/api/v1/auth/refresh", address, "POST", json=renewal)
    second = answer.json()
    headers = {"Authorization": f"Bearer {second['accessToken']}"}
    key = sent(api, "/api/v1/auth/keys", address, "POST", json={"name": "Till", "scopes": ["read"]}, headers=headers)
    ticket = sent(api, "/api/v1/ws/tickets", address, "POST", headers=headers).json()["ticket"]
    secrets = {
        PASSWORD,
        wrong,
        *(pair[name] for pair in (first, second) for name in ("accessToken", "refreshToken")),
        key.json()["key"],
        ticket,
        answer.cookies["csrf"],
        KEY,
    }
    assert sent(api, f"/api/v1/ws?ticket={ticket}", address).status_code == 426
    assert sent(api, "/api/v1/auth/me", address, headers={"X-API-Key": key.json()["key"]}).status_code == 200
    assert sent(api, "/api/v1/products", address, headers={"Authorization": f"Bearer {ticket}"}).status_code == 401
    metrics = httpx.get(f"{api.url}/metrics").text  # from this machine itself, as the networks of the settings have it
    api.signal(signal.SIGTERM)
    assert api.ended() == 0
    backup = api.command("backup", "--to", str(tmp_path / "backup"))
    assert backup.returncode == 0, backup.stderr
    folders = (Path(api.environment["API_DATA"]), tmp_path / "backup")
    written = {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert any(ADMIN.encode() in data for data in written.values())
    written |= {"log": api.log().encode(), "metrics": metrics.encode()}
    assert b"/api/v1/auth/keys" in written["log"]
    found = [(name, secret) for name, data in written.items() for secret in secrets if secret.encode() in data]
    assert found == []
    api.start("--workers", "2")
