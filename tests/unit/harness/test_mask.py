"""Secrets stay out of what is written."""

from __future__ import annotations

import base64
import json
import string
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.identities import Identity
from harness.mask import PLACEHOLDER, Mask, is_secret_name

SECRETS = st.text(string.ascii_letters + string.digits + '-_.+/="\\ é%&', min_size=6, max_size=30)
AMONG = ("POST", "/things/", "X-Back", "1970-01-01", "anonymous", "unknown", "ok", '{"note": "')
AROUND = st.text(string.ascii_letters + " :,;", max_size=10)


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms in which one secret can stand in a message."""

    secret: str

    def all(self) -> set[str]:
        """As it is, in JSON with and without ASCII escapes, and percent-encoded."""
        shown = json.dumps(self.secret)[1:-1], json.dumps(self.secret, ensure_ascii=False)[1:-1]
        return {self.secret, *shown, quote(self.secret, safe=""), quote_plus(self.secret)}


def _record(exchange: Exchange, *secrets: str) -> str:
    mask = Mask()
    for secret in secrets:
        mask.register(secret)
    return json.dumps(mask.record(exchange.to_record()), ensure_ascii=False)


@given(SECRETS, AROUND, AROUND)
def test_a_registered_secret_never_occurs_in_a_record(secret: str, before: str, after: str) -> None:
    """In path, query, headers and bodies, plain, in JSON, percent-encoded or beside other bytes, the secret is gone."""
    masked = "[masked token]"
    assume(all(form not in form_of for form in Forms(secret).all() for form_of in (masked, *AMONG)))
    text = before + secret + after
    exchange = Exchange(
        "x-1",
        Request(
            "POST",
            f"/things/{quote(text, safe='')}",
            query=(("q", text),),
            headers=(("X-Own", text),),
            body=json.dumps({"note": text}).encode(),
        ),
        Response(200, (("X-Back", text),), json.dumps({"note": text}, ensure_ascii=False).encode()),
        0, 0, 0,
        error=text,
    )  # fmt: skip
    mask = Mask()
    mask.register(secret)
    record = mask.record(exchange.to_record())
    sent, answered = record["request"], record["response"]
    places = [sent["path"], sent["query"], sent["headers"], sent["body"], answered["headers"], answered["body"]]
    for shown in (*_texts(places), record["error"]):
        assert not [form for form in Forms(secret).all() if form in shown]


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    if isinstance(value, list):
        return [text for member in value for text in _texts(member)]
    return [value] if isinstance(value, str) else []


def test_a_secret_in_a_body_that_is_no_text_is_masked() -> None:
    """A binary body is masked before it is written in base64."""
    exchange = Exchange("x-1", Request("GET", "/"), Response(200, (), b"\xff\x00opensesame\xfe"), 0, 0, 0)
    record = json.loads(_record(exchange, "opensesame"))
    assert b"opensesame" not in base64.b64decode(record["response"]["body_base64"])


def test_a_secret_in_a_long_body_that_is_no_text_is_masked() -> None:
    """One that is packed is unpacked for it, and read back as long as it is without the secret."""
    long = b"\xff" + b" " * 300_000
    exchange = Exchange("x-1", Request("GET", "/", body=long + b"opensesame"), Response(204), 0, 0, 0)
    text = _record(exchange, "opensesame")
    assert len(text) < 5_000
    assert Exchange.from_record(json.loads(text)).request.body == long + b"[masked token]"


def test_a_secret_that_holds_another_leaves_no_tail() -> None:
    """Of two secrets of which one begins with the other, the longer is replaced whole."""
    mask = Mask()
    mask.register("abcdef", "short")
    mask.register("abcdefghij", "long")
    assert mask.text("abcdefghij abcdef") == "[masked long] [masked short]"


def test_a_very_short_value_is_not_masked() -> None:
    """A value under six characters would blind the record; it is left alone."""
    mask = Mask()
    mask.register("1")
    assert mask.text("101") == "101"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", "Bearer abcdefgh", f"Bearer {PLACEHOLDER}"),
        ("authorization", "abcdefgh", PLACEHOLDER),
        ("X-API-Key", "k", PLACEHOLDER),
        ("Set-Cookie", "sid=abc; HttpOnly", f"sid={PLACEHOLDER}; HttpOnly"),
        ("Cookie", "sid=abc; b=cd", f"sid={PLACEHOLDER}; b={PLACEHOLDER}"),
        ("Accept", "text/html", "text/html"),
    ],
)
def test_headers_that_carry_credentials_are_masked_by_name(name: str, value: str, expected: str) -> None:
    """A credential's header is masked without its value being known; the scheme and the cookie's name stay."""
    exchange = Exchange("x-1", Request("GET", "/", headers=((name, value),)), None, 0, 0, 0)
    assert json.loads(_record(exchange))["request"]["headers"] == [[name, expected]]


@pytest.mark.parametrize("name", ["password", "newPassword", "refresh_token", "client-secret", "API_KEY"])
def test_members_named_as_secrets_are_masked(name: str) -> None:
    """A member's name is compared without case and signs."""
    assert is_secret_name(name)
    exchange = Exchange("x-1", Request("POST", "/", body=json.dumps({"a": [{name: "x"}]}).encode()), None, 0, 0, 0)
    assert json.loads(json.loads(_record(exchange))["request"]["body"]) == {"a": [{name: PLACEHOLDER}]}


def test_a_password_hash_shows_its_kind_only() -> None:
    """That a hash leaked is seen, the hash is not."""
    shown = Mask().text('{"hash":"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub"}')
    assert shown == '{"hash":"$argon2id$[masked]"}'


def test_facts_of_an_identity_are_masked() -> None:
    """A fact that is a known secret does not reach the history; others stay."""
    who = Identity("a", facts={"id": "7", "session": "abcdefgh"})
    record = json.loads(_record(Exchange("x-1", Request("GET", "/", identity=who), None, 0, 0, 0), "abcdefgh"))
    assert record["identity"]["facts"] == {"id": "7", "session": "[masked token]"}


@given(SECRETS, st.recursive(AROUND, lambda below: st.lists(below) | st.dictionaries(AROUND, below), max_leaves=8))
def test_a_value_without_the_secret_stays_as_it_is(secret: str, value: object) -> None:
    """Masking a JSON value changes only what is registered."""
    mask = Mask()
    mask.register(secret)
    assume(all(form not in json.dumps(value, ensure_ascii=False) for form in Forms(secret).all()))
    assert mask.value(value) == value
    assert mask.value({secret: [value, f", {secret};"]}) == {"[masked token]": [value, ", [masked token];"]}


@given(st.lists(SECRETS, min_size=1, max_size=4), st.lists(AROUND, min_size=5, max_size=5))
def test_a_secret_is_found_among_few_and_among_many(secrets: list[str], around: list[str]) -> None:
    """A text is masked alike whether it is searched for each value or cut up because the values are many."""
    few, many = Mask(), Mask()
    for number in range(400):
        many.register(f"{number:06}-another")
    for secret in secrets:
        few.register(secret)
        many.register(secret)
    text = "".join(f"{before}{secret}" for before, secret in zip(around, secrets, strict=False)) + around[-1]
    assume("-another" not in text)
    assert many.text(text) == few.text(text)
