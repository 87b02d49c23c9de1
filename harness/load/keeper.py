"""Keeps what a load process sent: a sample of every request, and whole exchanges for failures and a stated share."""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from harness.exchange import Exchange, Request, Response
from harness.history import FOLDER, Journal
from harness.load.quantile import NS_PER_MS
from harness.load.sample import SUFFIX, Header, Sample, SampleWriter
from harness.mask import Mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.identities import Identity
    from harness.load.journey import Step
    from harness.load.plan import Plan
    from harness.load.reply import Reply

DRIVER = "load"
WHOLE_FAILURES = 500


class Keeper:
    """Writes `history/load-<pid>.samples.jsonl` and `history/load-<pid>.jsonl` of one run's folder.

    Beside one in `whole_one_of` of all, failures and answers above `whole_above_ms` are written whole, the first 500:
    a server that fails at a thousand requests a second must not fill the disk or slow the generator.
    """

    def __init__(self, plan: Plan, header: Header, identities: Iterable[Identity] = ()) -> None:
        folder = plan.run / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._name = f"{DRIVER}-{os.getpid()}"
        self._samples = SampleWriter(folder / f"{self._name}{SUFFIX}", header)
        self._journal = Journal(folder / f"{self._name}.jsonl")
        self._mask = Mask()
        self._whole_one_of = plan.whole_one_of
        self._above_ns = math.inf if plan.whole_above_ms is None else plan.whole_above_ms * NS_PER_MS
        self._count = self._telling = self._whole = 0
        for identity in identities:
            for _, value in identity.headers:
                self._mask.register(value.rpartition(" ")[2])

    def keep(self, step: Step, reply: Reply, due_ns: int) -> Sample:
        """Keeps one request of the timetable."""
        sample = sample_of(step, reply, due_ns)
        self._samples.add(sample)
        self._count += 1
        telling = not sample.expected or sample.latency_ns > self._above_ns
        self._telling += telling
        if self._count % self._whole_one_of == 0 or (telling and self._telling <= WHOLE_FAILURES):
            self.keep_whole(step, reply, due_ns)
        return sample

    def keep_whole(self, step: Step, reply: Reply, due_ns: int) -> None:
        """Writes the whole exchange, its secrets masked; a set-up's steps are kept by this alone."""
        self._whole += 1
        exchange = exchange_of(step, reply, due_ns, f"{self._name}-{self._whole}")
        if exchange.response is not None:
            self._mask.learn(exchange.response.json(), step.secret_pointers)
        self._journal.append(self._mask.record(exchange.to_record()))

    def flush(self) -> None:
        """Writes the samples that wait; to be called at least each 200 ms."""
        self._samples.flush()

    def close(self) -> None:
        """Writes what waits and closes both files."""
        self._samples.close()
        self._journal.close()


def sample_of(step: Step, reply: Reply, due_ns: int) -> Sample:
    """The sample of one request."""
    expected = step.expects(reply.status)
    return Sample(step.operation, reply.status, due_ns, reply.sent_ns, reply.done_ns, reply.error, expected)


def exchange_of(step: Step, reply: Reply, due_ns: int, name: str) -> Exchange:
    """The exchange, in the form that every driver records."""
    target = urlsplit(step.path)
    request = Request(
        method=step.method,
        path=target.path,
        operation=step.operation,
        query=tuple(parse_qsl(target.query, keep_blank_values=True)),
        headers=tuple(step.headers.items()),
        body=step.body,
        identity=step.identity,
    )
    headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in reply.headers)
    exchange = Exchange(
        id=name,
        request=request,
        response=Response(reply.status, headers, reply.body) if reply.status else None,
        due_ns=due_ns,
        sent_ns=reply.sent_ns,
        done_ns=reply.done_ns,
        driver=DRIVER,
        error=reply.error,
    )
    return replace(exchange, wall_s=time.time() - (time.monotonic_ns() - reply.sent_ns) / 1e9)
