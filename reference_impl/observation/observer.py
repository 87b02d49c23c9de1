"""All that watches one application: built from the settings, told by the layers, closed at the end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from reference_impl.clock import rfc3339
from reference_impl.edge.exchange import served
from reference_impl.edge.outer import Watchers
from reference_impl.edge.request_log import log, report, write
from reference_impl.observation.metrics import Metrics
from reference_impl.observation.observed import ObservedDatabase, Watch
from reference_impl.observation.request_rows import RequestRows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp

    from reference_impl.data.database import Database
    from reference_impl.edge.exchange import Exchange
    from reference_impl.settings import Settings


class Observer:
    """Metrics, traces, the sink of errors, the stored log; each only where the settings ask for it."""

    def __init__(self, settings: Settings) -> None:
        observe = settings.observe
        self.metrics = Metrics()
        self.rows = RequestRows(self.metrics.dropped)
        self._traces = self._faults = None
        if observe.traces_url:
            from reference_impl.observation.traces import Traces  # noqa: PLC0415 - loaded where it is used

            self._traces = Traces(observe.traces_url)
        if observe.sentry_dsn:
            from reference_impl.observation.faults import Faults  # noqa: PLC0415 - loaded where it is used

            self._faults = Faults(observe.sentry_dsn)
        span = self._traces.work if self._traces else contextlib.nullcontext
        self._watch = Watch(self.metrics.queried, slow, observe.slow_query_s * 1000, span)
        self._observed: dict[int, ObservedDatabase] = {}
        finished: list[Callable[[Exchange], None]] = []
        finished += [self.metrics.count] if observe.metrics else []
        finished += [log] if settings.edge.request_log else []
        finished += [self.rows.add] if settings.edge.stored_log else []
        self.watchers = Watchers(tuple(finished), (report, self._faults.tell) if self._faults else (report,))

    def database(self, database: Database) -> Database:
        """Return a tenant's database under watch, the same for the same one."""
        found = self._observed.get(id(database))
        if found is None or found.database is not database:
            found = self._observed[id(database)] = ObservedDatabase(database, self._watch)
        return found

    def traced(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a span around each request, where spans are sent."""
        if self._traces is None:
            return app
        from reference_impl.observation.traces import Tracing  # noqa: PLC0415 - loaded where it is used

        return Tracing(app, self._traces)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Store and send while the block runs, and what is left at its end."""
        try:
            async with self.rows.running():
                yield
        finally:
            for sink in (self._traces, self._faults):
                if sink is not None:
                    await asyncio.to_thread(sink.close)


def slow(operation: str, name: str, duration_ms: float) -> None:
    """Warn of a slow call of the database, by name, without its parameters, and of the request it was made for."""
    told = {"operation": operation, "name": name, "durationMs": round(duration_ms, 3)}
    if (exchange := served()) is not None:
        told |= {"requestId": exchange.request_id, "tenant": exchange.tenant}
    write({"at": rfc3339(time.time()), "level": "warning", "message": "slow query", **told})
