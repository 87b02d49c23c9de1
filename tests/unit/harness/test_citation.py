"""Which part of the contract a finding names as its promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.citation import cited, placed
from harness.contract import Contract
from harness.contract.origin import Origin, Source
from harness.finding import Finding, Place, Severity
from harness.run import freeze
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

HERE = "/paths/~1books~1{id}/put"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shelf", "version": "1"},
    "security": [{"token": []}],
    "x-promises": {
        "headers": {"X-A": {"const": "1"}},
        "resource": {"book": {"create": "putBook"}},
        "objective": {"p95_ms": 5},
    },
    "paths": {
        "/books/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "put": {
                "operationId": "putBook",
                "x-promises": {"roles": {"allow": ["user"], "anonymous": 401}},
                "parameters": [
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                    {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {
                    "200": {"content": {}, "headers": {"ETag": {"required": True, "schema": {"type": "string"}}}},
                    "4XX": {"description": "no"},
                },
            },
        }
    },
}


@pytest.mark.parametrize(
    ("code", "kind", "at"),
    [
        ("roles.role-allowed", "admin", f"{HERE}/x-promises/roles"),
        ("roles.anonymous-allowed", "anonymous", f"{HERE}/x-promises/roles/anonymous"),
        ("headers.missing", "x-a", "/x-promises/headers/X-A"),
        ("objective.latency", "p95_ms", "/x-promises/objective/p95_ms"),
        ("resource.not-listed", "", "/x-promises/resource/book"),
        ("owner.effect", "stranger", "/security"),
        ("leaks.stack", "python", HERE),
        ("schema.undocumented-status", "302", f"{HERE}/responses"),
        ("schema.server-error", "500", f"{HERE}/responses"),
        ("schema.body", "200 /price type", f"{HERE}/responses/200/content"),
        ("schema.content-type", "404 text/html", f"{HERE}/responses/4XX/content"),
        ("schema.missing-header", "200 etag", f"{HERE}/responses/200/headers/ETag"),
        ("schema.invalid-input-accepted", "query q type", f"{HERE}/parameters/0"),
        ("schema.invalid-input-accepted", "path id type", "/paths/~1books~1{id}/parameters/0"),
        ("schema.invalid-input-accepted", "body/price type", f"{HERE}/requestBody"),
        ("schema.invalid-input-accepted", "query gone type", f"{HERE}/parameters"),
        ("fuzz.ignored_auth", "no credentials", "/security"),
        ("fuzz.missing_required_header", "if-match", f"{HERE}/parameters/1"),
        ("fuzz.unsupported_method", "no Allow", "/paths/~1books~1{id}"),
        ("fuzz.positive_data_acceptance", "maximum query q", f"{HERE}/parameters/0"),
        ("fuzz.positive_data_acceptance", "maximum body /n", f"{HERE}/requestBody"),
        ("fuzz.use_after_free", "read", HERE),
        ("later.than-this", "", HERE),
    ],
)
def test_the_part_that_a_finding_is_about(code: str, kind: str, at: str) -> None:
    """The annotation where one is made, its member where the kind names one; else what the operation documents."""
    assert cited(Contract(DOCUMENT), Finding(code, "a fault", Severity.LOW, "putBook", kind)) == at


def test_verdicts_tell_where_their_promise_stands(tmp_path: Path) -> None:
    """Each finding gets file, pointer and line; one of no operation and one that has its place stay as they are."""
    freeze(Contract(DOCUMENT), tmp_path)
    fault, loose = (Finding("leaks.stack", "a fault", Severity.LOW, name) for name in ("putBook", ""))
    told = [Verdict("leaks", "putBook", 1, (fault, loose)), Verdict("leaks", "other", 1)]
    assert placed(tmp_path, told) == tuple(told)
    text = b'{"paths": {\n"/books/{id}": {\n"put": {}}}}'
    Origin([Source("http://127.0.0.1:9/openapi.json", text)]).keep(tmp_path)
    first, second = placed(tmp_path, told)
    assert [finding.place for finding in first.findings] == [Place("http://127.0.0.1:9/openapi.json", HERE, 3, 1), None]
    assert second == told[1]
    assert placed(tmp_path, [first, second]) == (first, second)
