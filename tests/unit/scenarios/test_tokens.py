"""Tokens that the reference API never gives at a login are refused by it; one signed anew as it is, is let in."""

from __future__ import annotations

import io

import pytest

from reference_impl.errors import ApiError
from reference_impl.identity.tokens import Claims, Tokens
from scenarios.tokens import KINDS, made, main

KEY = "k" * 40
CLAIMS = Claims("u", "s", "alpha")


def test_a_valid_one_is_let_in() -> None:
    """What is signed anew as it is holds, so the key is the API's own."""
    tokens = Tokens(KEY, 900)
    assert tokens.read(made("valid", tokens.sign(CLAIMS), KEY)) == CLAIMS


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"valid"}))
def test_every_other_kind_is_refused(kind: str) -> None:
    """Each other kind is UNAUTHORIZED."""
    tokens = Tokens(KEY, 900)
    with pytest.raises(ApiError) as error:
        tokens.read(made(kind, tokens.sign(CLAIMS), KEY))
    assert error.value.code == "UNAUTHORIZED"


def test_every_problem_is_told_at_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that there is not, no key and no token are three lines, with 2."""
    monkeypatch.delenv("API_TOKEN_KEY", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("no token"))
    assert main(["strange"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_the_command_prints_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key and a token it prints the token of the kind."""
    token = Tokens(KEY, 900).sign(CLAIMS)
    monkeypatch.setenv("API_TOKEN_KEY", KEY)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    assert main(["expired"]) == 0
    assert capsys.readouterr().out.strip() == made("expired", token, KEY)
