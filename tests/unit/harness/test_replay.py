"""Where a replay is sent: to what the run verified, unless another target is named."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from harness import judge
from harness import replay as replaying
from harness.finding import Finding, Severity
from harness.replay import _like, identity_options
from harness.session import Wanted
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

SAME = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("target", "asked", "expected"),
    [
        ({"kind": "url", "url": SAME}, Wanted(), SAME),
        ({"kind": "url", "url": SAME}, Wanted(url="http://127.0.0.1:2"), "http://127.0.0.1:2"),
        ({"kind": "process", "url": SAME}, Wanted(), "process"),
        ({"kind": "containers", "url": SAME}, Wanted(), "containers"),
        ({"kind": "containers", "url": SAME}, Wanted(target="process"), "process"),
    ],
    ids=["the-runs-own", "another", "a-process-anew", "containers-anew", "another-kind"],
)
def test_the_target_of_a_replay(target: dict[str, str], asked: Wanted, expected: str) -> None:
    """The run's own address; what was started is started anew, as its old port is anyone's by now."""
    like = _like(target, asked)
    assert like.url + like.target == expected


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ("", ""),
        ("harness verify --url http://127.0.0.1:1 --only roles", ""),
        (
            "harness verify --header 'user=X-Key: K1' --only a --bearer admin=T",
            "--header 'user=X-Key: K1' --bearer admin=T",
        ),
    ],
)
def test_a_replay_names_the_identities_that_it_was_not_given(again: str, expected: str) -> None:
    """The options that told the run its identities, as they are to be typed again."""
    assert identity_options(again) == expected


def test_a_replay_without_the_identities_says_which_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CANNOT TELL has the options of the run in its reason; with them given it has its own reason alone."""
    monkeypatch.setattr(
        replaying, "Run", lambda *_, **__: contextlib.nullcontext(SimpleNamespace(masked=lambda it: it))
    )
    monkeypatch.setattr(replaying, "frozen_contract", lambda _: None)
    monkeypatch.setattr(judge, "again", lambda *_, **__: Verdict("roles", "one", reason="nobody can be had"))
    (tmp_path / "run.json").write_text(
        json.dumps({"schema_version": 1, "seed": 7, "again": "harness verify --bearer user=T"})
    )
    target = SimpleNamespace(url=SAME, environment={})
    finding = Finding("roles.status", "t", Severity.LOW, "one")
    bare = replaying.on_target(tmp_path, finding, Wanted(), target)
    given = replaying.on_target(tmp_path, finding, Wanted(identities={"known": [{"name": "a"}]}), target)
    assert bare.reason == "nobody can be had; the run was given --bearer user=T: name them here too"
    assert given.reason == "nobody can be had"
