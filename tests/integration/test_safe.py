"""`--safe`: nothing but reads is sent, and what that leaves unknown is told and not counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.verdict import LEFT_SAFE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

pytestmark = pytest.mark.slow


def test_a_safe_run_changes_nothing(harness: Callable[..., Done], notes: Callable[..., str], project: Path) -> None:
    """Every driver sends reads alone, writes are told as left unknown, and the exit code is that of the reads."""
    words = ("--contract", "/openapi.json", "--safe", "--only", "promises,fuzz", "--budget", "60s")
    done = harness("verify", "--url", notes(), *words)
    assert done.code == 0, done.out + done.err
    run = next((project / "reports").glob("*/run.json")).parent
    sent = [
        record["request"]["method"]
        for file in (run / "history").glob("*.jsonl")
        for record in map(json.loads, file.read_text(encoding="utf-8").splitlines())
        if record.get("type") == "exchange"
    ]
    assert sent
    assert set(sent) <= {"GET", "HEAD", "OPTIONS"}
    told = [json.loads(line) for line in (run / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    writes = [item for item in told if item["operation"] == "notes.create"]
    assert writes
    assert all(item["status"] == "inconclusive" and LEFT_SAFE in item["reason"] for item in writes)
