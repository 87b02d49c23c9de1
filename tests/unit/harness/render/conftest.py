"""A run with everything in it: long texts, injections, binary bodies, unicode, and as many findings as asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness.exchange import Exchange, Request, Response
from harness.exits import Exit
from harness.finding import Confirmation, Finding, Reproduction, Severity
from harness.identities import ANONYMOUS, Identity
from harness.report import (
    ContractFacts,
    OperationFacts,
    OperationLatency,
    Phase,
    Report,
    RunStatus,
    Target,
    witnesses,
    worst_first,
)
from harness.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

INJECTION = (
    "</pre></script><script>alert(1)</script><img src=x onerror=alert(2)> ]]> &amp; \x1b[31mred\x1b[0m \u202etxt.exe"
)
PROMISES = ("schema", "envelope", "headers", "leaks", "resource", "roles", "owner", "version", "rate-limit", "ledger", "objective", "fuzz")  # fmt: skip # noqa: E501 - a list of names
NOUNS = ("products", "orders", "users", "categories", "reviews", "carts")
VERBS = (
    ("GET", "list", ""),
    ("POST", "create", ""),
    ("GET", "get", "/{id}"),
    ("PATCH", "update", "/{id}"),
    ("DELETE", "delete", "/{id}"),
)
TEMPLATES = (
    (
        "ledger.overdrawn",
        Severity.CRITICAL,
        "orders.create",
        "Concurrent orders drew more stock than there was",
        "Stock never falls below 0: what orders draw from /stock is conserved.",
        "20 orders of 1 were accepted for a product with a stock of 5; its stock then read -15.",
    ),
    (
        "roles.role-allowed",
        Severity.HIGH,
        "products.delete",
        "A buyer may delete a product",
        "Only seller and admin may call DELETE /products/{id}; others get 403.",
        "A buyer got 204, and the product was gone for its owner afterwards (404).",
    ),
    (
        "version.lost-update",
        Severity.HIGH,
        "products.update",
        "A stale write overwrote a newer one",
        "A write with a stale If-Match gets 412.",
        'If-Match "1" was sent after version 2 had been written; the answer was 200.',
    ),
    (
        "leaks.sql",
        Severity.MEDIUM,
        "users.list",
        "An error names the database's statement",
        "No body shows SQL.",
        'GET /users?sort=%27 answered 500 with: sqlite3.OperationalError near "\'": SELECT * FROM users ORDER BY',
    ),
    (
        "schema.body",
        Severity.MEDIUM,
        "reviews.create",
        INJECTION,
        f"What stands: {INJECTION}",
        f"What came: {INJECTION}",
    ),
    (
        "headers.missing",
        Severity.LOW,
        "carts.get",
        "X-Request-ID is missing",
        "Every response has X-Request-ID.",
        "12 of 300 answers had none. Größe, 大きさ, مرحبا, 🚀. " + "A very long explanation goes on. " * 40,
    ),
)


def operations(count: int) -> tuple[OperationFacts, ...]:
    """So many operations, the usual five for each noun."""
    found = []
    for number in range(count):
        group, (method, verb, tail) = number // len(VERBS), VERBS[number % len(VERBS)]
        noun = NOUNS[group % len(NOUNS)] + (f"{group // len(NOUNS)}" if group >= len(NOUNS) else "")
        found.append(OperationFacts(f"{noun}.{verb}", method, f"/api/v1/{noun}{tail}"))
    return tuple(found)


def exchange(number: int, finding: int) -> Exchange:
    """A witness; every kind of body and ending comes in turn."""
    bodies = (
        b'{"items":[{"productId":"0190-aa","quantity":1}],"note":"it\'s $HOME `id`"}',
        None,
        f'{{"x":"{INJECTION[:30]}"}}'.encode(),
        bytes(range(256)) * 8,
    )
    answers = (
        Response(
            201, (("Content-Type", "application/json"), ("ETag", '"1"')), b'{"id":"7","stock":-15,"tags":[],"in":{}}'
        ),
        Response(500, (("Content-Type", "text/html"),), f"<html>{INJECTION}</html>".encode()),
        None,
        Response(200, (("Content-Type", "image/png"), ("Set-Cookie", "sid=[masked]; Path=/")), bytes(range(256)) * 40),
        Response(200, (("Content-Type", "application/json"),), b'{"items":[' + b'{"name":"widget"},' * 4000 + b"{}]}"),
    )
    who = (ANONYMOUS, Identity("buyer-1", ("buyer",)), Identity("admin", ("admin",)))[number % 3]
    headers = (("Content-Type", "application/json"), ("X-Note", "it's"))
    if who is not ANONYMOUS:
        headers = (("Authorization", "Bearer [masked]"), *headers)
    request = Request(
        "POST" if number % 2 == 0 else "GET",
        "/api/v1/orders",
        operation="orders.create",
        query=(("page", "2"), ("q", INJECTION)) if number % 4 == 1 else (),
        headers=headers,
        body=bodies[number % 4],
        identity=who,
        step=("race", "read-back", "", "stale-write")[number % 4],
    )
    start = 1_000_000_000 * finding + 1_000_000 * number
    answer = answers[number % 5]
    return Exchange(
        id=f"promises-41-{finding}-{number}",
        request=request,
        response=answer,
        due_ns=start,
        sent_ns=start,
        done_ns=start + 3_400_000,
        driver="promises",
        group=number % 2,
        error="" if answer else "timed out",
    )


def step(path: str, body: str, role: str, status: int, references: dict[str, object]) -> dict[str, object]:
    """One step of a reproduction, as harness/sequence.py writes it."""
    return {
        "operation": "",
        "method": "POST",
        "path": path,
        "query": [],
        "headers": [["Content-Type", "application/json"]],
        "body": body,
        "identity": {"name": f"{role}-1", "roles": [role], "tenant": "alpha", "facts": {}},
        "step": "race" if references else "set-up",
        "status": status,
        "references": references,
    }


STEPS = (
    step("/api/v1/products", '{"name": "widget", "stock": 5}', "seller", 201, {}),
    step(
        "/api/v1/orders",
        '{"items": [{"productId": "0190-aa-widget", "quantity": 1}]}',
        "buyer",
        201,
        {"0190-aa-widget": {"step": 0, "place": "/id"}},
    ),
)


def findings(count: int, known: tuple[OperationFacts, ...]) -> tuple[tuple[Finding, ...], list[Exchange]]:
    """So many findings with their exchanges; the first are told apart by class, the rest by operation."""
    made, sent = [], []
    for number in range(count):
        code, severity, operation, title, promised, seen = TEMPLATES[number % len(TEMPLATES)]
        own = [exchange(index, number) for index in range(1 + number % 9)]
        sent += own
        made.append(
            Finding(
                code=code,
                title=title,
                severity=severity,
                operation=operation if number < len(TEMPLATES) else known[number % len(known)].id,
                kind=f"variant {number}" if number >= len(TEMPLATES) else "",
                promised=promised,
                seen=seen,
                witnesses=tuple(item.id for item in own),
                reproduction=Reproduction("ledger/race", {}, STEPS if number == 0 else ()),
                confirmation=Confirmation.SEEN_ONCE if number % 4 == 3 else Confirmation.CONFIRMED,
            )
        )
    return worst_first(made), sent


def verdicts(found: tuple[Finding, ...], known: tuple[OperationFacts, ...]) -> tuple[Verdict, ...]:
    """A verdict for most promises of every operation: held, broken where there is a finding, some not told."""
    broken: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        broken.setdefault((finding.code.split(".")[0], finding.operation), []).append(finding)
    made = [Verdict(promise, operation, 9, tuple(items)) for (promise, operation), items in broken.items()]
    for row, operation in enumerate(known):
        for column, promise in enumerate(PROMISES):
            if (promise, operation.id) in broken or (column > 6 and (row + column) % 3 == 0):
                continue
            if column > 3 and (row * 7 + column) % 23 == 0:
                made.append(
                    Verdict(promise, operation.id, reason=f"no identity with role auditor can be made; {promise}")
                )
            else:
                made.append(Verdict(promise, operation.id, 3 + row * column % 400))
    return tuple(made)


def build(count: int = 6, operation_count: int = 30, *, exit_code: Exit | None = Exit.FINDINGS) -> Report:
    """A report with so many findings over so many operations."""
    known = operations(operation_count)
    found, sent = findings(count, known)
    return Report(
        run_id="20261121-101502-7f3a",
        status=RunStatus.COMPLETE,
        exit_code=exit_code,
        target=Target("process", "http://127.0.0.1:39211", "python -m reference_impl serve --port 39211"),
        contract=ContractFacts("Shop API <b>1.0</b>", "9d1c5a" * 10, ("overlays/own.yaml",)),
        operations=known,
        seed=42,
        versions={"python": "3.12.3", "harness": "0.1.0", "schemathesis": "4.32.5", "locust": "2.47.0"},
        started=datetime(2026, 11, 21, 10, 15, 2, tzinfo=UTC),
        ended=datetime(2026, 11, 21, 10, 16, 59, 500_000, tzinfo=UTC),
        budget_s=120.0,
        phases=(
            Phase("promises", "fail", 4213, count, 61.4),
            Phase("fuzz", "pass", 3100, 0, 30.2),
            Phase("load", "inconclusive", 0, 0, 21.0, "the load generator reached 1210 of 2000 planned requests"),
        ),
        verdicts=verdicts(found, known),
        findings=found,
        exchanges=witnesses(found, sent),
        latencies=(
            OperationLatency("products.list", 1410, 70.5, 0.0, 4.1234, 12.377, 31.9, 80.2, 200.0, Status.PASS),
            OperationLatency("products.get", 402, 20.1, 0.0025, 2.2, 195.02, 230.7, 412.4, 200.0, Status.PASS),
            OperationLatency("orders.create", 210, 10.5, 0.031, 120.0, 812.9, 2204.2, 3100.0, 200.0, Status.FAIL),
            OperationLatency("carts.get", 12, 0.6, 1.0, reason="only 12 requests were sent: 20 are needed"),
        ),
        requests=9210,
        paced=17,
    )  # fmt: skip


@pytest.fixture
def sample() -> Callable[..., Report]:
    """Makes a report: `sample(findings, operations, exit_code=…)`."""
    return build
