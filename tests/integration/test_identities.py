"""Identities that cannot be had: a reason for each promise that needs them, never a finding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

WORDS = ("verify", "--budget", "90s", "--seed", "1", "--jobs", "1", "--only", "roles,resource")
KNOWN = """
[[identities.known]]
name = "keeper"
roles = ["keeper"]
token = "{env:KEEPER}"
"""


def told(project: Path) -> dict[str, Any]:
    """The verdict on the roles of the operation that needs a token."""
    lines = (project / "reports/latest/verdicts.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return next(item for item in found if (item["promise"], item["operation"]) == ("roles", "notes.delete"))


@pytest.fixture
def guarded(project: Path) -> Path:
    """The project with an API in which deleting needs a token, told by the environment."""
    path = project / "harness.toml"
    path.write_text(path.read_text().replace("NOTES_PID =", 'NOTES_TOKEN = "{secret:KEEPER}"\nNOTES_PID =') + KNOWN)
    return project


def test_an_identity_that_is_taken(harness: Callable[..., Done], guarded: Path) -> None:
    """With the right token the roles are examined and kept."""
    done = harness(*WORDS)
    assert done.code == 0, done.text
    assert told(guarded)["examined"] > 0


def test_a_token_that_is_not_taken(harness: Callable[..., Done], guarded: Path) -> None:
    """A token that the API refuses gives an inconclusive verdict with that reason, and no finding."""
    path = guarded / "harness.toml"
    path.write_text(path.read_text().replace('"{env:KEEPER}"', '"stale"'))
    done = harness(*WORDS)
    assert done.code == 4, done.text
    assert "nothing shows that the credentials given for keeper work" in told(guarded)["reason"]
    assert (guarded / "reports/latest/findings.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ("notes.create", "notes.create answered 400 in the set-up of an identity"),
        ("notes.list", "the login answered no token at /token"),
        ("auth.login", "identities.login.operation is 'auth.login', which the contract does not have"),
    ],
)
def test_a_login_that_fails(harness: Callable[..., Done], guarded: Path, operation: str, reason: str) -> None:
    """A login that is refused, gives no token or is not in the contract is the reason of an inconclusive verdict."""
    path = guarded / "harness.toml"
    login = f'[identities.login]\noperation = "{operation}"\nbody = {{ name = "{{name}}" }}\ntoken = "/token"\n'
    written = path.read_text().replace('token = "{env:KEEPER}"', 'login = { name = "keeper" }')
    path.write_text(written + login)
    done = harness(*WORDS)
    assert done.code == 4, done.text
    assert reason in told(guarded)["reason"]
    assert (guarded / "reports/latest/findings.jsonl").read_text() == ""


def test_a_variable_that_is_not_set(harness: Callable[..., Done], project: Path) -> None:
    """A variable that harness.toml names and that is not set is told before anything is sent, with 2."""
    path = project / "harness.toml"
    path.write_text(path.read_text() + KNOWN)
    done = harness(*WORDS)
    assert done.code == 2
    assert "KEEPER is not set; export it with the token, key or password" in done.err


def test_another_apis_configuration(harness: Callable[..., Done], project: Path, notes: Callable[..., str]) -> None:
    """With --url, a variable that the harness.toml here names and that is not set is only a reason, not an error."""
    path = project / "harness.toml"
    path.write_text(path.read_text() + KNOWN)
    done = harness(*WORDS, "--url", notes(NOTES_TOKEN="unknown"))
    assert done.code == 4, done.text
    assert "set the environment variable KEEPER" in told(project)["reason"]


def test_secrets_stay_out_of_the_run(harness: Callable[..., Done], guarded: Path) -> None:
    """A token stands in no file of the run and in nothing that is written to the terminal."""
    path = guarded / "harness.toml"
    path.write_text(path.read_text().replace('"{secret:KEEPER}"', '"{env:KEEPER}"'))
    secret = "s3cret-of-the-keeper"
    done = harness(*WORDS, environment={"KEEPER": secret})
    assert done.code == 0, done.text
    assert secret not in done.text
    files = [file for file in (guarded / "reports").rglob("*") if file.is_file()]
    assert len(files) > 5
    assert [str(file) for file in files if secret.encode() in file.read_bytes()] == []


LIMITED = """
[identities]
roles = ["keeper", "reader"]
[identities.login]
operation = "auth.login"
body = { name = "{name}", password = "{password}" }
token = "/token"
[[identities.known]]
name = "keeper"
roles = ["keeper"]
login = { name = "keeper", password = "{env:KEEPER}" }
[[identities.known]]
name = "reader"
roles = ["reader"]
login = { name = "reader", password = "{env:KEEPER}" }
"""


def limited(project: Path, logins: str) -> None:
    """Two accounts that log in, at an API that lets that be done so often."""
    path = project / "harness.toml"
    environment = f'NOTES_TOKEN = "{{secret:KEEPER}}"\nNOTES_LOGINS = "{logins}"\nNOTES_PID ='
    path.write_text(path.read_text().replace("NOTES_PID =", environment) + LIMITED)


def answers(project: Path, operation: str) -> list[int]:
    """What an operation was answered, in all processes of the run."""
    files = (project / "reports/latest/history").iterdir()
    lines = [line for file in files for line in file.read_text().split("\n") if line]
    records = [record for line in lines if isinstance(record := json.loads(line), dict)]
    return [item["response"]["status"] for item in records if item.get("operation") == operation and item["response"]]


def test_a_login_that_is_limited(harness: Callable[..., Done], project: Path) -> None:
    """Three logins are enough for all processes of a run: they share two sessions where they get none of their own."""
    limited(project, "3/3600")
    done = harness("verify", "--budget", "90s", "--seed", "1", "--jobs", "2", "--only", "roles,owner,fuzz")
    assert done.code == 0, done.text
    assert told(project)["examined"] == 3
    assert answers(project, "auth.login").count(200) <= 3
    assert 403 in answers(project, "notes.delete")


def test_a_login_that_stays_limited(harness: Callable[..., Done], project: Path) -> None:
    """An identity that the login keeps out is a reason at once, with when to come again, and never a finding."""
    limited(project, "1/3600")
    done = harness(*WORDS)
    assert done.code == 4, done.text
    verdict = told(project)
    assert verdict["examined"] > 0
    assert "auth.login stayed at its rate limit (429) for longer than can be waited" in verdict["reason"]
    assert "it says to come again after 3" in verdict["reason"]
    assert (project / "reports/latest/findings.jsonl").read_text() == ""
    assert "Traceback" not in done.text


def test_accounts_with_a_wrong_password(harness: Callable[..., Done], project: Path) -> None:
    """A login that is refused is the reason, with its status; what needs nobody is examined all the same."""
    limited(project, "1000/1")
    path = project / "harness.toml"
    path.write_text(path.read_text().replace('password = "{env:KEEPER}"', 'password = "wrong"'))
    done = harness(*WORDS)
    assert done.code == 4, done.text
    assert "auth.login answered 401 in the set-up of an identity" in told(project)["reason"]
    assert (project / "reports/latest/findings.jsonl").read_text() == ""
