"""Login by a provider: what is asked of it, what of its word is believed, and what its failures are answered."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Shop

ISSUER = "https://login.example.test"
CLIENT = "shop"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(key: rsa.RSAPrivateKey, name: str = "one") -> dict[str, Any]:
    """The public half as a key set."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"keys": [{**public, "kid": name, "use": "sig", "alg": "RS256"}]}


class Login:
    """One provider and one shop that trusts it."""

    def __init__(self, shop: Shop, routes: respx.MockRouter) -> None:
        self.shop = shop
        self.routes = routes
        self.claims: dict[str, Any] = {"sub": "ada", "email": "ada@example.test", "email_verified": True, "name": "Ada"}
        self.key, self.headers, self.algorithm = KEY, {"kid": "one"}, "RS256"
        self.url = ""
        self.discovery = routes.get(f"{ISSUER}/.well-known/openid-configuration").respond(
            json={
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
            }
        )
        self.keys = routes.get(f"{ISSUER}/keys").respond(json=jwks(KEY))
        self.token = routes.post(f"{ISSUER}/token").mock(side_effect=self._token)

    def _token(self, _request: httpx.Request) -> httpx.Response:
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": self.told("nonce")}
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        token = jwt.encode(claims, self.key, algorithm=self.algorithm, headers=self.headers)
        return httpx.Response(200, json={"access_token": "x", "token_type": "Bearer", "id_token": token})

    def told(self, name: str) -> str:
        """A parameter of the URL a person is sent to."""
        return parse_qs(urlsplit(self.url).query)[name][0]

    def start(self) -> httpx.Response:
        """Begin a login; the browser keeps its cookie."""
        answer = self.shop.send("GET", "/auth/oauth/start")
        if answer.status_code == 200:
            self.url = answer.json()["authorizationUrl"]
        return answer

    def back(self, **query: str) -> httpx.Response:
        """Come back with the state and a code, unless told otherwise."""
        return self.shop.send("GET", "/auth/oauth/callback", params={"state": self.told("state"), "code": "c", **query})

    def run(self) -> httpx.Response:
        """Begin and end a login."""
        self.start()
        return self.back()


@pytest.fixture
def login(open_shop: Callable[..., Shop]) -> Iterator[Login]:
    """A shop and its provider."""
    told = {"issuer": ISSUER, "client_id": CLIENT, "client_secret": "s", "redirect_url": "http://shop.test/back"}
    with respx.mock(assert_all_called=False) as routes:
        yield Login(open_shop(**told), routes)


def test_without_a_provider_nothing_is_served(shop: Shop) -> None:
    """Neither the document nor the routes know of it."""
    assert shop.send("GET", "/auth/oauth/start").status_code == 404
    assert "oauth" not in shop.application.document.decode()


def test_a_login_makes_an_account_and_finds_it_again(login: Login) -> None:
    """By issuer and subject, whatever the e-mail is later; the session is one like any other, with cookies."""
    answer = login.run()
    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert (user["email"], user["name"], user["roles"]) == ("ada@example.test", "Ada", ["user"])
    bearer = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    assert login.shop.send("GET", "/auth/me", headers=bearer).json() == user
    assert {one.split("=")[0] for one in answer.headers.get_list("set-cookie")} == {"session", "csrf", "oauth"}
    login.claims |= {"email": "new@example.test", "email_verified": False}
    assert login.run().json()["user"] == user
    password = {"email": "ada@example.test", "password": "correct horse battery"}
    assert login.shop.send("POST", "/auth/login", json=password).status_code == 401


def test_the_code_is_bound_to_who_asked(login: Login) -> None:
    """The URL has the challenge of the verifier that is sent with the code; documents are asked for once."""
    assert login.run().status_code == login.run().status_code == 200
    form = parse_qs(login.token.calls.last.request.content.decode())
    digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
    assert login.told("code_challenge") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (login.told("code_challenge_method"), login.told("response_type")) == ("S256", "code")
    assert (form["code"], form["redirect_uri"]) == (["c"], ["http://shop.test/back"])
    assert (login.discovery.call_count, login.keys.call_count) == (1, 1)


def test_a_state_is_good_once_and_in_its_browser(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """Used, made up, another browser's and old ones are 401, none is 400; no state is stored as it is."""
    login.start()
    database = login.shop.runner.run(login.shop.application.tenants.get("alpha"))
    assert database is not None
    assert login.told("state") not in str(login.shop.runner.run(database.query("SELECT * FROM oauth_states")))
    cookie = {"oauth": login.told("state")}
    login.shop.client.cookies.clear()
    assert login.back().status_code == 401
    assert login.back(state="made-up").status_code == 401
    login.shop.client.cookies.update(cookie)
    assert login.back().status_code == 200
    login.shop.client.cookies.update(cookie)
    assert login.back().status_code == 401
    assert login.shop.send("GET", "/auth/oauth/callback?code=c").status_code == 400
    login.shop.client.cookies.clear()
    login.start()
    assert login.shop.send("GET", f"/auth/oauth/callback?state={login.told('state')}").status_code == 400
    login.start()
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert login.back().status_code == 401


def test_what_the_provider_refuses_is_401(login: Login) -> None:
    """A person who says no, another issuer's answer, and a code that is spent."""
    login.start()
    assert login.back(error="access_denied", error_description="no").status_code == 401
    login.start()
    assert login.back(iss="https://evil.example.test").status_code == 401
    login.token.mock(return_value=httpx.Response(400, json={"error": "invalid_grant"}))
    assert login.run().status_code == 401


BAD = {
    "issuer": {"iss": "https://evil.example.test"},
    "audience": {"aud": "other"},
    "authorized party": {"aud": [CLIENT, "other"], "azp": "other"},
    "nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "expired": {"exp": int(time.time()) - 60},
    "no expiry": {"exp": None},
    "early": {"nbf": int(time.time()) + 3600},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
}


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("claims", BAD.values(), ids=BAD)
def test_a_token_that_does_not_hold_is_401(login: Login, claims: dict[str, Any]) -> None:
    """Each claim is looked at; no account is made."""
    login.claims |= claims
    answer = login.run()
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED"), answer.text
    assert login.shop.send("GET", "/users", login.shop.admin).json()["pagination"]["total"] == 1


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("how", ["another key", "unknown key", "none", "shared secret", "no token"])
def test_a_signature_that_does_not_hold_is_refused(login: Login, how: str) -> None:
    """Only the provider's own asymmetric keys sign."""
    if how == "another key":
        login.key = OTHER_KEY
    elif how == "unknown key":
        login.headers = {"kid": "two"}
    elif how == "shared secret":
        login.key, login.algorithm = "s" * 64, "HS256"  # type: ignore[assignment]  # the attack is a key of another type
    elif how == "none":
        login.key, login.algorithm = None, "none"  # type: ignore[assignment]  # same
    else:
        login.token.mock(return_value=httpx.Response(200, json={"id_token": "no.token"}))
    assert login.run().status_code == 401


def test_a_new_key_of_the_provider_is_asked_for(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a rotation the key set is read again, and not again for each made-up key."""
    assert login.run().status_code == 200
    login.key, login.headers = OTHER_KEY, {"kid": "two"}
    login.keys.respond(json=jwks(OTHER_KEY, "two"))
    later = time.monotonic() + 31
    monkeypatch.setattr("reference_impl.identity.provider.time.monotonic", lambda: later)
    assert login.run().status_code == 200
    login.headers = {"kid": "three"}
    assert [login.run().status_code for _ in range(3)] == [401, 401, 401]
    assert login.keys.call_count == 2


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("down"),
        httpx.ReadTimeout("slow"),
        httpx.Response(500, json={}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(302, headers={"location": "https://evil.example.test"}),
        httpx.Response(200, content=b'"' + b"x" * 1_100_000 + b'"'),
        httpx.Response(200, json={"issuer": "https://evil.example.test"}),
    ],
    ids=["down", "slow", "500", "html", "list", "redirect", "long", "other issuer"],
)
@pytest.mark.engines("sqlite")
def test_a_provider_that_fails_is_502(login: Login, failure: Any) -> None:
    """At each of its three places; what it said is not told, and the next login finds it well again."""
    for route, then in ((login.discovery, login.start), (login.token, login.run), (login.keys, login.run)):
        well = {"side_effect": route.side_effect, "return_value": route.return_value}
        side = isinstance(failure, Exception)
        route.mock(side_effect=failure if side else None, return_value=None if side else failure)
        answer = then()
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "BAD_GATEWAY"), answer.text
        assert "evil" not in answer.text
        route.mock(**well)
        if route is login.discovery:
            assert login.start().status_code == 200
    assert login.run().status_code == 200


def test_an_email_is_believed_only_when_verified_and_free(login: Login) -> None:
    """Unverified and missing ones are 403; one that another account has is 409, and that account stays its own."""
    shop = login.shop
    login.claims["email_verified"] = False
    assert login.run().status_code == 403
    login.claims |= {"email": None, "email_verified": True}
    assert login.run().status_code == 403
    account = shop.account()
    login.claims["email"] = "USER1@example.test"
    assert login.run().status_code == 409
    assert shop.login("user1@example.test").id == account.id


def test_a_suspended_account_does_not_come_in_by_the_provider(login: Login) -> None:
    """Nor does a deleted one: that is made anew."""
    shop = login.shop
    user = login.run().json()["user"]
    for status in ("suspended", "active"):
        shop.send("PATCH", "/bulk/users/status", shop.admin, json={"ids": [user["id"]], "status": status})
        assert login.run().status_code == (401 if status == "suspended" else 200)
    shop.send("DELETE", f"/users/{user['id']}", shop.admin)
    anew = login.run()
    assert (anew.status_code, anew.json()["user"]["id"] != user["id"]) == (200, True)


def test_authorities_are_read_once(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them takes longer than a login, so no request to the provider does it again."""

    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("authorities were read again")

    monkeypatch.setattr("ssl.create_default_context", read)
    assert login.run().status_code == 200
    assert login.token.call_count == 1


def test_the_document_says_what_is_served(login: Login) -> None:
    """With a provider the operations stand in it, with the statuses that were seen here."""
    paths = json.loads(login.shop.application.document)["paths"]
    assert {"200", "400", "401", "403", "409", "429", "502"} <= set(
        paths["/api/v1/auth/oauth/callback"]["get"]["responses"]
    )
    assert {"200", "502"} <= set(paths["/api/v1/auth/oauth/start"]["get"]["responses"])
