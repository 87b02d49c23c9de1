"""Options, harness.toml and folders that are wrong: one message, exit 2, nothing started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

WORDS = {
    "seed": (("--seed", "abc"), "argument --seed: invalid int value: 'abc'"),
    "budget-nothing": (("--budget", "0"), "'0' is no duration; write 120s or 2m"),
    "budget-word": (("--budget", "long"), "'long' is no duration; write 120s or 2m"),
    "jobs": (("--jobs", "two"), "argument --jobs"),
    "examples": (("--examples", "0"), "argument --examples: '0' is no whole number above 0; write 20"),
    "fail-on": (("--fail-on", "never"), "argument --fail-on"),
    "bearer": (("--bearer", "admin"), "--bearer is 'admin'; it must be ROLE=VARIABLE"),
    "header": (("--header", "admin=Key"), "--header is 'admin=Key'; it must be 'ROLE=Header-Name: VARIABLE'"),
    "login": (("--login", "auth.login"), "--login is 'auth.login'; it must be OPERATION,"),
    "account": (("--account", "admin=root:PASSWORD"), "needs --login, which says how an account logs in"),
    "unset": (("--bearer", "admin=NO_SUCH_TOKEN"), "NO_SUCH_TOKEN is not set; export it"),
    "only": (
        ("--only", "rolls,notes.crate"),
        "'rolls' is no phase, promise or operation of the contract; near are roles",
    ),
    "url": (("--url", "ftp://127.0.0.1"), "it must be an http or https address such as http://127.0.0.1:8000"),
    "url-secret": (("--url", "http://me:secret@127.0.0.1"), "--url holds a user name or password"),
    "remote": (("--url", "http://192.0.2.1"), "which is not this machine; add --allow-remote if you mean it"),
    "option": (("--fast",), "unrecognized arguments: --fast"),
}


@pytest.mark.parametrize(("words", "reason"), WORDS.values(), ids=WORDS)
def test_a_wrong_option(harness: Callable[..., Done], project: Path, words: tuple[str, ...], reason: str) -> None:
    """A wrong option is told with its value and the rule; no folder of a run stays."""
    done = harness("verify", *words)
    assert done.code == 2
    assert reason in done.err
    assert "me:secret" not in done.text
    assert list(project.glob("reports/2*")) == []


def test_every_wrong_identity_option_is_told_at_once(harness: Callable[..., Done], project: Path) -> None:
    """Three identity options that are wrong are three lines of one message."""
    assert project.is_dir()
    done = harness("verify", "--bearer", "one", "--header", "two", "--login", "three")
    assert done.code == 2
    assert len([line for line in done.err.splitlines() if line.startswith("  - ")]) == 3


def test_an_unknown_word_among_others_names_what_is_known(harness: Callable[..., Done], project: Path) -> None:
    """Every unknown word of --only is told, and after them the phases, promises and operations that there are."""
    done = harness("verify", "--only", "roles,notes.crate", "--only", "xyzzy")
    assert done.code == 2
    assert "'notes.crate' is no phase, promise or operation of the contract; near are notes.create" in done.err
    assert "'xyzzy' is no phase" in done.err
    assert "phases are promises, fuzz, load; promises are schema," in done.err
    assert not (project / "reports" / "latest").exists()


def test_a_configuration_wrong_in_three_places(harness: Callable[..., Done], tmp_path: Path) -> None:
    """All three problems of a harness.toml stand in one message, each with its place."""
    (tmp_path / "harness.toml").write_text(
        "[target.process]\ncommand = 'serve'\n[load]\nrate_per_s = -1\n[identities.login]\noperation = 'login'\n"
        "body = {}\ntoken = '/token'\nsecond = 1\n"
    )
    done = harness("verify")
    assert done.code == 2
    assert "harness.toml has 3 problems" in done.err
    for place in ("target.process.command: ", "load.rate_per_s: ", "identities.login: "):
        assert f"  - {place}" in done.err


def test_a_configuration_that_is_no_toml(harness: Callable[..., Done], tmp_path: Path) -> None:
    """A file that is not TOML is told with the place where it breaks."""
    (tmp_path / "harness.toml").write_text("[target.process\n")
    done = harness("verify")
    assert done.code == 2
    assert "harness.toml is not TOML" in done.err
    assert "line 1" in done.err


@pytest.mark.parametrize("command", ["verify", "promises", "fuzz", "load", "up", "prove"])
def test_without_configuration_and_address(harness: Callable[..., Done], command: str) -> None:
    """Where there is neither harness.toml nor --url, the message says what to write."""
    done = harness(command)
    assert done.code == 2
    assert "there is no harness.toml here and no --url" in done.err
    assert "write harness.toml with [target.process] command" in done.err


def test_reports_that_cannot_be_written(harness: Callable[..., Done], project: Path) -> None:
    """Where the folder of reports is a file, or lies below one, nothing is started and the option is named."""
    (project / "reports").write_text("a file")
    done = harness("verify")
    assert done.code == 2
    assert "reports cannot be written" in done.err
    assert "choose another folder with --reports" in done.err
    below = harness("verify", "--reports", "reports/below")
    assert below.code == 2
    assert not (project / "notes.pid").exists()


@pytest.mark.parametrize("command", ["report", "judge", "replay"])
def test_a_run_that_is_not_there(harness: Callable[..., Done], project: Path, command: str) -> None:
    """A command on a run that is not there says which there are."""
    assert project.is_dir()
    done = harness(command, *(("0123456789ab", "--run") if command == "replay" else ()), "no-such-run")
    assert done.code == 2
    assert "there is no run 'no-such-run' under reports; the newest are none" in done.err


def test_help_names_the_exit_codes(harness: Callable[..., Done]) -> None:
    """`harness verify --help` ends with 0 and tells every exit code."""
    done = harness("verify", "--help")
    assert done.code == 0
    for told in ("0 holds", "1 findings", "2 wrong use", "3 target", "4 inconclusive", "5 internal", "130 interrupted"):
        assert told in " ".join(done.out.split())
