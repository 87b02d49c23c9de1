"""Counters and histograms for Prometheus, with labels whose number is bounded by the routes.

Several workers count into files of one folder, PROMETHEUS_MULTIPROC_DIR, which is set before a worker starts.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from reference_impl.edge.exchange import served

if TYPE_CHECKING:
    from reference_impl.edge.exchange import Exchange

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_MS = (1, 2.5, 5, 10, 25, 50, 100, 200, 500, 1000, 2500, 10_000, 30_000)
_QUERY_MS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 5000)
_LABELS = ("method", "route", "status")
_BESIDE = ("", "", "")


def share(folder: str) -> None:
    """Let this process and those it forks count into files of a folder; called before metrics are made."""
    os.environ[FOLDER] = folder
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]  # the package types only some of it


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("http_requests_total", "Requests answered.", _LABELS, registry=registry)
        self._durations = Histogram(
            "http_request_duration_ms",
            "Milliseconds from a request's head to the end of its answer.",
            _LABELS,
            registry=registry,
            buckets=_REQUEST_MS,
        )
        self._queries = Histogram(
            "db_query_duration_ms",
            "Milliseconds that a call of the database took, waiting included.",
            ("operation", *_LABELS),
            registry=registry,
            buckets=_QUERY_MS,
        )
        self._dropped = Counter(
            "request_log_dropped_total", "Request log rows that were not stored.", registry=registry
        )
        # Children by their labels: finding one costs more than counting.
        self._by_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._by_operation: dict[tuple[str, tuple[str, str, str]], Histogram] = {}

    def count(self, exchange: Exchange) -> None:
        """Count a request that is over."""
        key = (exchange.method, exchange.route, exchange.status)
        found = self._by_request.get(key)
        if found is None:
            labels = _labels(exchange)
            found = (self._requests.labels(*labels), self._durations.labels(*labels))
            if exchange.method in _METHODS:  # methods that nobody serves are not kept by name
                self._by_request[key] = found
        found[0].inc()
        found[1].observe(exchange.duration_ms())
        if exchange.calls:
            of = _labels(exchange)
            for operation, duration_ms in exchange.calls:
                self._called(operation, of, duration_ms)
            exchange.calls.clear()

    def queried(self, operation: str, duration_ms: float) -> None:
        """Count a call of the database for the request that it is made for, once its status is known."""
        exchange = served()
        if exchange is None:
            self._called(operation, _BESIDE, duration_ms)
        elif exchange.status:  # a stream may go on for hours
            self._called(operation, _labels(exchange), duration_ms)
        else:
            exchange.calls.append((operation, duration_ms))

    def _called(self, operation: str, of: tuple[str, str, str], duration_ms: float) -> None:
        child = self._by_operation.get((operation, of))
        if child is None:
            child = self._by_operation[operation, of] = self._queries.labels(operation, *of)
        child.observe(duration_ms)

    def dropped(self, rows: int) -> None:
        """Count rows of the request log that were not stored."""
        self._dropped.inc(rows)

    def text(self) -> bytes:
        """Return the text format of all workers' metrics."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        joined = CollectorRegistry()
        MultiProcessCollector(joined)  # type: ignore[no-untyped-call]  # the package types only some of it
        return generate_latest(joined)


def _labels(exchange: Exchange) -> tuple[str, str, str]:
    method = exchange.method if exchange.method in _METHODS else "OTHER"
    return method, exchange.route or UNMATCHED, str(exchange.status)
