"""`cache` and `idempotency` promised by an overlay of an API that knows nothing of them: seen over the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

OVERLAY = """
overlay: 1.0.0
info: { title: promises of the notes, version: "1" }
actions:
  - target: $.paths['/notes'].get
    update:
      x-promises: { cache: { age_s: 0 } }
  - target: $.paths['/notes'].post
    update:
      x-promises: { idempotency: { header: Idempotency-Key, other_body: 422 } }
"""


def test_an_api_without_keys_and_without_a_cache(harness: Callable[..., Done], project: Path) -> None:
    """A note sent twice with one key is made twice, also after a cut; a list that nothing keeps is never old."""
    (project / "overlay.yaml").write_text(OVERLAY)
    words = ("--budget", "60s", "--seed", "1", "--jobs", "1", "--only", "cache,idempotency")
    done = harness("verify", "--overlay", "overlay.yaml", *words)
    assert done.code == 1, done.text
    told = [json.loads(line) for line in (project / "reports/latest/findings.jsonl").read_text().splitlines()]
    assert {(item["code"], item["kind"]) for item in told} == {
        ("idempotency.many-effects", "again"),
        ("idempotency.many-effects", "after a lost answer"),
        ("idempotency.other-body", "acted"),
        ("idempotency.other-body", "at once"),
    }
    assert {item["confirmation"] for item in told} == {"confirmed"}
    verdicts = [json.loads(line) for line in (project / "reports/latest/verdicts.jsonl").read_text().splitlines()]
    held = {(item["promise"], item["status"], item["reason"]) for item in verdicts if item["promise"] == "cache"}
    assert held == {("cache", "pass", "")}
