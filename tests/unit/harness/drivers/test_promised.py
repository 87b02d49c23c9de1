"""One promise of one operation is examined: its verdict is told to the run, and time that is over is a reason."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.contract import Contract
from harness.drivers.promised import OUT_OF_TIME, Promised
from harness.drivers.pytest_plugin import Held
from harness.drivers.turns import beside
from harness.exchange import Exchange, Request, Response
from harness.finding import Confirmation
from harness.promises.catalogue import BY_KEY
from harness.run import Attachment, Run, freeze, verdicts
from harness.verdict import Status
from harness.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "One", "version": "1"},
        "x-promises": {"headers": {"X-Request-ID": {}}, "http": {}},
        "paths": {"/one": {"get": {"operationId": "one", "responses": {"200": {"description": "fine"}}}}},
    }
)
HEADERS = BY_KEY["headers"]


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Response], Run]]:
    """A run whose target always gives one answer."""
    freeze(CONTRACT, tmp_path)
    with Run(Attachment(str(tmp_path), "http://127.0.0.1:9", 7, {}, {}), "pytest", contract=CONTRACT) as run:

        def giving(answer: Response) -> Run:
            def send(request: Request, *, case: str = "", **_: Any) -> Exchange:
                return Exchange("e-1", request, answer, 1, 1, 2, case=case)

            monkeypatch.setattr(run.recorder, "send", send)
            return run

        yield giving


def promised(run: Run) -> Promised:
    """The headers of the only operation."""
    return Promised(run, HEADERS, CONTRACT.by_id["one"], Watch(run))


def test_a_promise_that_is_kept(joined: Callable[[Response], Run], tmp_path: Path) -> None:
    """The verdict is a pass with its observations, and it is told to the run."""
    verdict, *_ = promised(joined(Response(200, (("X-Request-ID", "a"),)))).examine()
    assert verdict.status is Status.PASS
    assert verdicts(tmp_path) == [verdict]


def test_a_promise_that_is_broken(joined: Callable[[Response], Run]) -> None:
    """What is found is driven again before it is told, and names the case that shows it."""
    verdict, *_ = promised(joined(Response(200))).examine()
    assert verdict.status is Status.FAIL
    (finding,) = verdict.findings
    assert (finding.code, finding.confirmation) == ("headers.missing", Confirmation.CONFIRMED)
    assert finding.reproduction.case


def test_what_its_calls_show_of_another_promise(joined: Callable[[Response], Run], tmp_path: Path) -> None:
    """It is told to the run under that promise, beside the verdict of its own, and the item fails by both."""
    run = joined(Response(405))
    item = Promised(run, BY_KEY["http"], CONTRACT.by_id["one"], Watch(run))
    own, *others = item.examine()
    assert [finding.code for finding in own.findings] == ["http.allow"]
    assert [finding.code for told in others for finding in told.findings] == ["headers.missing"]
    assert sorted(told.promise for told in verdicts(tmp_path)) == ["headers", "http"]
    with pytest.raises(pytest.fail.Exception, match=r"(?s)http\.allow.*headers\.missing"):
        Held(Promised(joined(Response(405)), BY_KEY["http"], CONTRACT.by_id["one"], Watch(run))).hold()


def test_time_that_is_over_is_a_reason(
    joined: Callable[[Response], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, and the verdict is inconclusive, not a pass."""
    run = joined(Response(200))
    run.attachment = replace(run.attachment, deadline_ns=1)
    monkeypatch.setattr(run.recorder, "send", None)
    verdict, *_ = promised(run).examine()
    assert (verdict.status, verdict.reason) == (Status.INCONCLUSIVE, OUT_OF_TIME)
    assert verdicts(tmp_path) == [verdict]


def test_its_name(joined: Callable[[Response], Run]) -> None:
    """Promise and operation, as pytest selects them."""
    assert promised(joined(Response(200))).key == "headers-one"


def test_what_runs_alone_waits_for_others(joined: Callable[[Response], Run]) -> None:
    """While one holds the run for itself no other begins; two that need not be alone go side by side."""
    run = joined(Response(200))
    began = threading.Event()

    def other() -> None:
        with beside(run, alone=False):
            began.set()

    with beside(run, alone=True):
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        assert not began.wait(0.2)
    assert began.wait(20)
    thread.join()
    began.clear()
    with beside(run, alone=False):
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        assert began.wait(20)
    thread.join()
