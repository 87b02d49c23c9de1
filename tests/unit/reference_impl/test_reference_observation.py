"""Metrics, stored log, slow queries and the rules of alerts say what happened and nothing secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from reference_impl.data.database import DatabaseError
from reference_impl.observation import request_rows
from reference_impl.observation.observed import name_of
from reference_impl.observation.request_rows import RequestRows
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop

ROOT = Path(__file__).resolve().parents[3]
_ROWS = "SELECT request_id, user_id, method, route, status, duration_ms FROM request_logs ORDER BY id"


def samples(shop: Shop, name: str) -> dict[tuple[str, ...], float]:
    """A metric's samples as Prometheus reads them, by the values of their labels."""
    answer = shop.send("GET", "http://shop.test/metrics")
    assert answer.status_code == 200, answer.text
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


def test_metrics_tell_requests_by_method_template_and_status(shop: Shop) -> None:
    """Ids do not make series, nor do unknown paths and methods; the histogram counts the same requests."""
    for number in range(3):
        shop.send("GET", f"/products/01980000-0000-7000-8000-00000000000{number}")
        shop.send("GET", f"/nope/{number}")
        shop.send(f"BREW{number}", "/products")
    counted = samples(shop, "http_requests_total")
    assert counted["GET", "/api/v1/products/{id}", "404"] == 3
    assert counted["GET", "unmatched", "404"] == 3
    assert counted["OTHER", "/api/v1/products", "405"] == 3
    durations = samples(shop, "http_request_duration_ms_count")
    assert {key: durations[key] for key in counted} == counted
    assert samples(shop, "http_request_duration_ms_bucket")["+Inf", "GET", "unmatched", "404"] == 3


def test_metrics_tell_database_calls_by_the_requests_they_are_made_for(shop: Shop) -> None:
    """By operation, method, template and status: ids and unknown methods make no series, other work has no request."""
    known = {"query", "query_one", "run", "transaction", "read"}
    before = samples(shop, "db_query_duration_ms_count")
    shop.category()
    for number in range(3):
        shop.send("GET", f"/products/01980000-0000-7000-8000-00000000000{number}")
        shop.send(f"BREW{number}", "/products")
    shop.runner.run(shop.application.observer.rows.flush())
    after = samples(shop, "db_query_duration_ms_count")
    told = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    requests = samples(shop, "http_requests_total")
    assert {operation for _, operation, *_ in told} <= known
    assert told["POST", "transaction", "/api/v1/categories", "201"] == 1
    assert sum(told[key] for key in told if key[2:] == ("/api/v1/products/{id}", "404")) >= 3
    assert told["", "run", "", ""] >= 1, "the stored log"
    assert {(method, *rest) for method, _, *rest in told} <= {*requests, ("", "", "")}


def test_metrics_are_shown_to_their_networks_only(open_shop: Callable[..., Shop]) -> None:
    """Through a proxy the client's address counts; whoever else asks finds no such path."""
    shop = open_shop(trusted_proxies=load({"API_TRUSTED_PROXIES": "127.0.0.1"}).edge.trusted_proxies)
    path = "http://shop.test/metrics"
    assert shop.send("GET", path).status_code == 200
    refused = shop.send("GET", path, headers={"X-Forwarded-For": "198.51.100.7"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert open_shop(metrics=False).send("GET", path).status_code == 404


def test_workers_count_into_one_folder(tmp_path: Path) -> None:
    """What two processes counted is one sum, as the parent's folder is told to both."""
    program = """
import sys
from reference_impl.edge.exchange import Exchange
from reference_impl.observation.metrics import Metrics
metrics = Metrics()
exchange = Exchange("id", "GET", {}, "", False, 0.0, route="/a", status=200)
for _ in range(int(sys.argv[1])):
    metrics.count(exchange)
sys.stdout.write(metrics.text().decode())
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    texts = [
        subprocess.run([*command, count], env=environment, check=True, capture_output=True, text=True).stdout
        for count in ("2", "3")
    ]
    assert 'http_requests_total{method="GET",route="/a",status="200"} 5.0' in texts[1]


def test_slow_queries_are_told_by_name(open_shop: Callable[..., Shop], capfd: pytest.CaptureFixture[str]) -> None:
    """The line has the operation and a name, the request and its tenant, and no parameter."""
    shop = open_shop(slow_query_s=0.000001)
    shop.send("GET", "/products?search=needle", headers={"X-Tenant-ID": "beta", "X-Request-ID": "the-slow-one"})
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    told = [line for line in lines if line.get("message") == "slow query"]
    assert {line["tenant"] for line in told if line["requestId"] == "the-slow-one"} == {"beta"}
    assert all(re.fullmatch(r"[\w .<>]+", line["name"]) for line in told), told
    assert "needle" not in json.dumps(told)


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT a FROM users WHERE x = ?", "SELECT users"),
        ("INSERT INTO posts (a) VALUES ('x')", "INSERT posts"),
        ("UPDATE orders SET a = 'secret'", "UPDATE orders"),
        ("WITH found AS (SELECT 1 FROM a) SELECT 2", "WITH a"),
        ("?", "statement"),
    ],
)
def test_a_statements_name_is_its_verb_and_table(sql: str, name: str) -> None:
    """No value of a statement stands in its name."""
    assert name_of(sql) == name


def test_requests_are_rows_of_their_tenant(shop: Shop) -> None:
    """Id, user, method, template, status and time; a query, a body or a token is in none of them."""
    shop.runner.run(shop.application.observer.rows.flush())
    for tenant in ("alpha", "beta"):
        shop.send("GET", "/products?search=needle", headers={"X-Tenant-ID": tenant, "X-Request-ID": f"of-{tenant}"})
    me = shop.send("GET", f"/users/{shop.admin.id}", shop.admin)
    shop.runner.run(shop.application.observer.rows.flush())

    async def rows(tenant: str) -> list[Any]:
        database = await shop.application.tenants.get(tenant)
        assert database is not None
        return await database.query(_ROWS)

    alpha, beta = shop.runner.run(rows("alpha")), shop.runner.run(rows("beta"))
    assert [row[0] for row in beta][-1] == "of-beta"
    assert alpha[-2][:5] == ("of-alpha", "", "GET", "/api/v1/products", 200)
    assert alpha[-1][:5] == (me.headers["x-request-id"], shop.admin.id, "GET", "/api/v1/users/{id}", 200)
    assert "needle" not in str(alpha)
    assert shop.admin.token not in str(alpha)


def test_a_stored_log_that_cannot_keep_up_drops_and_counts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes when too much waits, and what the database refuses, is counted; the requests are answered."""
    dropped: list[int] = []
    rows = RequestRows(dropped.append)

    class Broken:
        async def run(self, *_: object) -> None:
            raise DatabaseError("unavailable", "gone")

    class Exchange:
        database = Broken()
        request_id = user_id = method = route = ""
        status = 200
        duration_ms = staticmethod(lambda: 1.0)

    monkeypatch.setattr(request_rows, "WAITING", 13)
    for _ in range(15):
        rows.add(Exchange())  # type: ignore[arg-type]  # all that a line is made of
    assert dropped == [1, 1]
    shop.runner.run(rows.flush())
    assert dropped == [1, 1, 13]


def test_the_stored_log_is_whole_at_the_end(shop: Shop) -> None:
    """What waits when the server ends is stored before the databases are closed."""

    async def run() -> list[Any]:
        async with shop.application.observer.running():
            await shop.client.get("/api/v1/products", headers={"X-Request-ID": "the-last"})
        database = await shop.application.tenants.get("alpha")
        assert database is not None
        return await database.query(_ROWS)

    assert shop.runner.run(run())[-1][0] == "the-last"


def test_alert_rules_name_metrics_that_are_served(shop: Shop) -> None:
    """Each rule has an expression, a severity and a summary, and asks for metrics that are told."""
    path = ROOT / "deploy" / "alerts.yml"
    (group,) = yaml.safe_load(path.read_text())["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    answer = shop.send("GET", "http://shop.test/metrics").text
    names = {sample.name for family in text_string_to_metric_families(answer) for sample in family.samples} | {"up"}
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert (rule["labels"]["severity"] in {"page", "ticket"}, bool(rule["annotations"]["summary"])) == (True, True)
        assert set(re.findall(r"\b(?:http|db|request|up)\w*", re.sub(r'"[^"]*"', "", rule["expr"]))) <= names, rule


def test_promtool_agrees_with_the_alert_rules() -> None:
    """Prometheus' own checker finds nothing."""
    name = os.environ.get("PROMTOOL", "promtool")
    promtool = shutil.which(name)
    if promtool is None:
        pytest.skip(f"{name} is not there: put Prometheus' promtool on the PATH, or its path into PROMTOOL")
    path = str(ROOT / "deploy" / "alerts.yml")
    done = subprocess.run([promtool, "check", "rules", path], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
