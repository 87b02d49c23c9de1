"""Options: words in, what is wanted out; every wrong identity at once."""

from __future__ import annotations

import argparse

import pytest

from harness.errors import UsageError
from harness.options import duration_s, identities, parser, wanted


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("120s", 120), ("2m", 120), ("0.5m", 30), ("1.5", 1.5)])
def test_durations(text: str, seconds: float) -> None:
    """A number is seconds; s and m say which."""
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "5h", "s", "nan", "1e3"])
def test_what_is_no_duration(text: str) -> None:
    """Nothing, none, a negative or another unit is told with the value and what to write."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no duration; write 120s or 2m"):
        duration_s(text)


def test_identities_of_every_kind() -> None:
    """Tokens, keys and accounts become the table that harness.toml would hold; no secret is among the words."""
    words = ["--bearer", "admin=TOKEN", "--header", "reader=X-API-Key: KEY", "--login", "auth.login,email,pass,/token"]
    options = parser().parse_args(["verify", *words, "--account", "user=me@example.test:PASSWORD"])
    told = identities(options)
    assert told["login"] == {
        "operation": "auth.login",
        "body": {"email": "{name}", "pass": "{password}"},
        "token": "/token",
    }
    assert told["known"] == [
        {"name": "admin-0", "roles": ["admin"], "token": "{env:TOKEN}"},
        {"name": "reader-1", "roles": ["reader"], "headers": {"X-API-Key": "{env:KEY}"}},
        {
            "name": "me@example.test",
            "roles": ["user"],
            "login": {"name": "me@example.test", "password": "{env:PASSWORD}"},
        },
    ]


def test_every_wrong_identity_is_told_at_once() -> None:
    """One error has a line for each option that is wrong."""
    words = ["--bearer", "admin", "--header", "Key", "--login", "one,two", "--account", "user", "--account", "a=b:C"]
    with pytest.raises(UsageError) as caught:
        identities(parser().parse_args(["verify", *words]))
    assert [problem.split(" ")[0] for problem in caught.value.problems] == [
        *("--bearer", "--header", "--login", "--account", "--account"),
    ]


def test_without_options_nothing_is_wanted() -> None:
    """What no option names is left to harness.toml."""
    asked = wanted(parser().parse_args(["verify"]))
    assert (asked.url, asked.contract, asked.overlays, asked.seed, dict(asked.identities)) == ("", "", (), None, {})


@pytest.mark.parametrize("words", [[], ["verify", "--seed", "x"], ["no-such-command"], ["contract"], ["replay"]])
def test_wrong_words_end_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A word that is wrong, or one that is missing, is told in the manner of every message."""
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("harness: ")
