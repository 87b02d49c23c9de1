"""What is sent to a collector of traces and to a sink of errors says what happened and nothing secret."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import brotli
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from reference_impl.application import Parts
from reference_impl.procedures.catalogue import PROCEDURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Shop

DECODERS: dict[str, Any] = {"gzip": gzip.decompress, "br": brotli.decompress, "": bytes}


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
