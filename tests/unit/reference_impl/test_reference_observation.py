"""Metrics, stored log, slow queries, traces and the sink of errors say what happened and nothing secret."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from reference_impl.application import Parts
from reference_impl.data.database import DatabaseError
from reference_impl.observation import request_rows
from reference_impl.observation.observed import name_of
from reference_impl.observation.request_rows import RequestRows
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Shop

DECODERS: dict[str, Any] = {"gzip": gzip.decompress, "br": brotli.decompress, "": bytes}
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


@pytest.fixture
def sink() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server on loopback that keeps what is posted to it: its address, and path and body of each post."""
    posts: list[tuple[str, bytes]] = []

    class Keeps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, DECODERS[self.headers["Content-Encoding"] or ""](body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeps)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", posts
    server.shutdown()
    thread.join()
    server.server_close()


def watched(shop: Shop, *requests: tuple[str, str, dict[str, str]]) -> None:
    """Send requests while the observer runs, which sends all it has at its end."""

    async def run() -> None:
        async with shop.application.observer.running():
            for method, path, headers in requests:
                await shop.client.request(method, path, headers=headers)

    shop.runner.run(run())


def test_traces_tell_requests_and_their_writes(
    open_shop: Callable[..., Shop], sink: tuple[str, list[tuple[str, bytes]]]
) -> None:
    """A span has template, status and tenant, is the child of the caller's, and the parent of its transaction."""
    address, posts = sink
    shop = open_shop(traces_url=f"http://{address}/v1/traces")
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    bearer = {"Authorization": f"Bearer {shop.admin.token}", "traceparent": f"00-{trace}-{parent}-01"}
    watched(shop, ("POST", "/api/v1/auth/logout", bearer), ("GET", "/nope", {}))
    spans = [
        span
        for _, body in posts
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    (request,) = [span for span in spans if span.name == "POST /api/v1/auth/logout"]
    told = {pair.key: pair.value.string_value or pair.value.int_value for pair in request.attributes}
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (trace, parent)
    assert (told["http.route"], told["http.response.status_code"], told["tenant"]) == (
        "/api/v1/auth/logout",
        204,
        "alpha",
    )
    assert [span.name for span in spans if span.parent_span_id == request.span_id][0].startswith("db.")  # noqa: RUF015 - which is told when it is none
    assert "GET" in {span.name for span in spans}
    assert {path for path, _ in posts} == {"/v1/traces"}


def test_unexpected_errors_are_told_without_values(
    open_shop: Callable[..., Shop], sink: tuple[str, list[tuple[str, bytes]]]
) -> None:
    """The sink gets type, place, request id and tenant; no text of the error, no header, query or body."""

    async def broken(_call: object) -> object:
        local_secret = "hunter2"
        raise RuntimeError(f"SELECT {local_secret}")

    address, posts = sink
    procedures = [replace(one, handler=broken) if one.id == "products.list" else one for one in PROCEDURES]
    shop = open_shop(Parts(procedures=tuple(procedures)), sentry_dsn=f"http://public@{address}/1")
    headers = {"Authorization": f"Bearer {shop.admin.token}", "X-Request-ID": "the-broken-one"}
    watched(shop, ("GET", "/api/v1/products?search=needle", headers), ("GET", "/nope", {}))
    (event,) = [json.loads(body.splitlines()[2]) for _, body in posts]
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert event["tags"] == {
        "method": "GET",
        "route": "/api/v1/products",
        "tenant": "alpha",
        "request_id": "the-broken-one",
    }
    text = b"".join(body for _, body in posts).decode()
    assert [secret for secret in ("hunter2", "needle", shop.admin.token, "SELECT") if secret in text] == []


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
