"""The test file of a finding about files: it fails on the API that it was found at, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from harness.codes import CODES
from harness.exchange import Request
from harness.exits import Exit
from harness.finding import Finding, Reproduction
from harness.promises.upload import PROMISE
from harness.render import alone, assertion
from harness.render.rule import Unstated
from harness.report import Report, RunStatus, Target
from harness.sequence import cut
from tests.unit.harness.promises.gallery_api import ADD, Gallery, document, examined
from tests.unit.harness.render.defined import defined

if TYPE_CHECKING:
    from types import ModuleType


def found(api: Gallery) -> Finding:
    """The one finding at the operation, with its sequence."""
    examined(api)
    assert PROMISE.judge is not None
    (finding,) = PROMISE.judge(api.contract, api.contract.by_id[ADD], api.sent).findings
    return replace(finding, reproduction=Reproduction("", {}, cut(api.sent, finding.witnesses)))


def loaded(api: Gallery, finding: Finding) -> ModuleType:
    """The file of a finding as a module."""
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    return defined(alone.render(finding, report, assertion.asserted(api.contract, finding, {})).decode())


def ran(module: ModuleType, api: Gallery) -> None:
    """Runs the file's test at an API."""

    def send(number: int, method: str, path: str, body: bytes | None = None, headers: Any = (), **_: Any) -> Any:
        told = tuple(dict(headers).items())
        response = api.send(Request(method=method, path=unquote(path), headers=told, body=body)).response
        assert response is not None
        return module.Answer(number, response.status, {}, response.body, path, body or b"")

    module.__dict__["send"] = send
    getattr(module, next(name for name in vars(module) if name.startswith("test_")))()


@pytest.mark.parametrize("fault", ["any pixels", "any side", "any length", "off by one", "refuses all", "half"])
def test_it_fails_on_the_fault_and_passes_without(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture stands in the file as it was sent."""
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    api = Gallery(fault)
    finding = found(api)
    assert finding.code in CODES
    with pytest.raises(AssertionError, match=r"But step \d+ was answered"):
        ran(loaded(api, finding), Gallery(fault))
    ran(loaded(api, finding), Gallery())


def test_a_long_file_says_why_no_test_is_written() -> None:
    """Megabytes stand in no test; the report still has them."""
    told = {"max_bytes": 1_000_000}
    api = Gallery("any length", document(told), bounds=told)
    with pytest.raises(Unstated, match="longer than"):
        loaded(api, found(api))


def test_what_is_kept_says_why_no_file_is_written() -> None:
    """It takes more calls than a finding's sequence has."""
    api = Gallery("keeps")
    with pytest.raises(Unstated, match="dozens of calls"):
        loaded(api, found(api))
