"""The labs of other APIs read what their own run found; one that came to no end says nothing of a fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.errors import TargetError
from harness.exchange import Response
from harness.exits import Exit
from scenarios.third_party import lab
from scenarios.third_party.kinto import lab as kinto

if TYPE_CHECKING:
    from pathlib import Path

SEEN = kinto.SHOWN["kept"]


def test_a_run_that_comes_to_no_findings_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nobody listens there is no run: no trace, and what an earlier run found is not read for it."""
    monkeypatch.chdir(tmp_path)
    earlier = tmp_path / "reports" / "latest"
    earlier.mkdir(parents=True)
    lines = [json.dumps({"code": code, "operation": operation}) for code, operation in SEEN]
    (earlier / "findings.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ended = lab.verified(f"http://127.0.0.1:{lab.free_port()}", kinto.CONTRACT, ["--budget", "5s"], {})
    assert ended == lab.Run(Exit.TARGET, frozenset())
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("ended", "code", "says"),
    [
        (lab.Run(Exit.FINDINGS, SEEN), 0, "kept: caught by delete.listed of delete_record, delete.read of"),
        (lab.Run(Exit.FINDINGS, frozenset()), 1, "kept: NOT caught"),
        (lab.Run(Exit.HOLDS, frozenset()), 1, "kept: NOT caught"),
        (lab.Run(Exit.INTERRUPTED, SEEN), 1, "kept: NOT known: the run ended with 130"),
        (lab.Run(Exit.TARGET, frozenset()), 1, "kept: NOT known: the run ended with 3"),
    ],
)
def test_a_fault_is_caught_by_a_run_that_ended_with_findings(
    ended: lab.Run,
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """How the run ended counts, and not only what stands in its report."""
    monkeypatch.setattr(kinto, "run", lambda *_: ended)
    assert kinto.plant(tmp_path, "5s", ["kept"]) == code
    assert capsys.readouterr().out.startswith(says)


def test_a_server_that_does_not_come_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was to be started in the background is waited for so long, and no longer."""
    monkeypatch.setattr(lab, "START_S", 0.3)
    url = f"http://127.0.0.1:{lab.free_port()}"
    with pytest.raises(SystemExit, match=f"the server did not answer at {url}/ready within 0.3 s"):
        lab.answers(url, "/ready")


def test_accounts_are_made_once_the_server_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection and a 503 are waited out, and a 200 ends it."""
    left = [TargetError("nobody listens"), Response(503), Response(200), AssertionError("it was ready")]

    def reachable(*_: object) -> Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(lab, "reachable", reachable)
    monkeypatch.setattr(lab, "POLL_S", 0)
    lab.answers("http://127.0.0.1:9", "/ready")
    assert len(left) == 1
