"""The checklist's items that one request shows and no promise examines; each passes the run's recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.exchange import Request, Response
from scenarios.checks.source import API

if TYPE_CHECKING:
    from harness.run import Run


def _got(run: Run, path: str, *headers: tuple[str, str], method: str = "GET") -> Response:
    """The answer to a request that belongs to no operation of the contract."""
    exchange = run.recorder.send(Request(method=method, path=path, headers=headers), case="checklist")
    assert exchange.response is not None, exchange.error
    return exchange.response


def _varies(answer: Response) -> str:
    """All that an answer says it varies by."""
    return ",".join(value.lower() for name, value in answer.headers if name.lower() == "vary")


@pytest.mark.checks("R9")
def test_a_foreign_origin_is_given_nothing(run: Run) -> None:
    """A preflight and a read from an origin that nobody allowed carry no allow-origin header."""
    for method, extra in (("OPTIONS", ("Access-Control-Request-Method", "POST")), ("GET", ("Accept", "*/*"))):
        answer = _got(run, "/api/v1/products", ("Origin", "https://foreign.example.test"), extra, method=method)
        assert answer.header("Access-Control-Allow-Origin") is None
        assert "origin" in _varies(answer)


@pytest.mark.checks("F5")
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_large_answers_are_compressed(run: Run, coding: str) -> None:
    """The document comes in the coding that the client takes, and says that it varies by it."""
    answer = _got(run, "/openapi.json", ("Accept-Encoding", coding))
    assert answer.header("Content-Encoding") == coding
    assert "accept-encoding" in _varies(answer)


@pytest.mark.checks("F2")
def test_an_unchanged_read_is_not_sent_again(run: Run) -> None:
    """What comes with an entity tag is answered 304 without a body while it is as it was."""
    first = _got(run, "/openapi.json")
    tag = first.header("ETag")
    assert tag is not None
    again = _got(run, "/openapi.json", ("If-None-Match", tag))
    assert again.status == 304  # noqa: PLR2004 - not modified
    assert not again.body


@pytest.mark.checks("F2")
def test_lists_have_a_cache() -> None:
    """The procedures of the catalogue's lists name the family that their cache forgets them by."""
    source = (API / "procedures" / "products.py").read_text(encoding="utf-8")
    assert 'cached="products"' in source
    assert 'changes=("products",)' in source


@pytest.mark.checks("F10")
def test_metrics_are_served(run: Run) -> None:
    """The three metrics of the stack stand in what Prometheus reads, once a request has asked the database."""
    _got(run, "/api/v1/products")
    answer = _got(run, "/metrics")
    assert answer.status == 200  # noqa: PLR2004 - OK
    for name in (b"http_requests_total", b"http_request_duration_ms", b"db_query_duration_ms"):
        assert name in answer.body


@pytest.mark.checks("R10")
def test_the_documentation_is_served(run: Run) -> None:
    """A page for people and the document that it shows."""
    assert b"<html" in _got(run, "/docs").body
    assert _got(run, "/openapi.json").json()["openapi"].startswith("3.1")


@pytest.mark.checks("P10")
def test_the_asyncapi_document_is_served(run: Run) -> None:
    """The messages of streams and sockets stand in an AsyncAPI 3 document."""
    document = _got(run, "/asyncapi.json").json()
    assert document["asyncapi"].startswith("3.")
    assert document["channels"]
    assert document["operations"]
