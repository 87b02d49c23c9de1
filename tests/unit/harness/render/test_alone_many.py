"""The test file of a finding about many items at once: it fails on the API that it was found at, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from harness.codes import CODES
from harness.exchange import Request
from harness.exits import Exit
from harness.finding import Finding, Reproduction
from harness.promises.bulk import PROMISE
from harness.render import alone, assertion
from harness.render.rule import Unstated
from harness.report import Report, RunStatus, Target
from harness.sequence import cut
from tests.unit.harness.promises.bulk_api import CHANGED, MADE, Pets, document, driven
from tests.unit.harness.render.defined import defined

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

MAKE, CHANGE = "pets.makeAll", "pets.changeAll"
BY_POSITION = {name: MADE[name] for name in MADE if name not in {"done", "failed", "index"}}
RESULTS = {"items": "/ids", "resource": "pet", "results": "/results", "error": "/error", "unknown": "failed"}
COUNTED, LISTED = document(), document({**MADE, "skipped": "/skipped"})
SHOWN = [
    ("passes over", CHANGE, False, COUNTED),
    ("passes over", CHANGE, True, COUNTED),
    ("takes all", CHANGE, False, COUNTED),
    ("takes all", CHANGE, True, COUNTED),
    ("twice", CHANGE, True, COUNTED),
    ("names another", CHANGE, True, COUNTED),
    ("takes all", CHANGE, False, document(changed=RESULTS)),
    ("takes all", CHANGE, False, document(changed={**RESULTS, "index": "/index"})),
    ("drops taken", MAKE, False, COUNTED),
    ("drops taken", MAKE, False, document(BY_POSITION)),
    ("undoes", MAKE, False, COUNTED),
    ("drops an entry", MAKE, False, COUNTED),
    ("one index", MAKE, False, COUNTED),
    ("both", MAKE, False, COUNTED),
    ("both", MAKE, False, LISTED),
    ("neither", MAKE, False, COUNTED),
    ("counts taken", MAKE, False, COUNTED),
    ("refuses lists", MAKE, False, COUNTED),
    ("refuses lists", CHANGE, False, COUNTED),
]


def found(api: Pets, name: str) -> Finding:
    """The one finding at an operation, with its sequence."""
    assert PROMISE.judge is not None
    history = driven(api)[name].exchanges
    (finding,) = PROMISE.judge(api.contract, api.contract.by_id[name], history).findings
    return replace(finding, reproduction=Reproduction("", {}, cut(history, finding.witnesses)))


def loaded(api: Pets, finding: Finding) -> ModuleType:
    """The file of a finding as a module."""
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    text = alone.render(finding, report, assertion.asserted(api.contract, finding, {})).decode()
    return defined(text)


def ran(module: ModuleType, api: Pets) -> None:
    """Runs the file's test at an API."""

    def send(number: int, method: str, path: str, body: bytes | None = None, **_: Any) -> Any:
        response = api.send(Request(method=method, path=unquote(path), operation="", body=body)).response
        assert response is not None
        return module.Answer(number, response.status, {}, response.body, path, body or b"")

    module.__dict__["send"] = send
    getattr(module, next(name for name in vars(module) if name.startswith("test_")))()


@pytest.mark.parametrize(("defect", "name", "lists", "told"), SHOWN)
def test_it_fails_on_the_fault_and_passes_without(
    defect: str, name: str, told: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, *, lists: bool
) -> None:
    """It is run at the same data, where each name that it was found with is taken."""
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    api = Pets(frozenset({defect}), told=dict(told), lists=lists)
    finding = found(api, name)
    assert finding.code in CODES
    with pytest.raises(AssertionError, match=r"But step \d+ was answered"):
        ran(loaded(api, finding), api)
    ran(loaded(api, finding), replace(api, defects=frozenset()))


def test_a_refusal_of_the_whole_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that was mended by refusing all where one fails passes."""
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    api = Pets(frozenset({"passes over"}))
    ran(loaded(api, found(api, CHANGE)), replace(api, defects=frozenset(), whole=True))


@pytest.mark.parametrize("defect", ["twice", "takes all"])
def test_lists_with_indices_say_why_no_file_is_written(defect: str) -> None:
    """What is told by ids and by indices takes the harness."""
    api = Pets(frozenset({defect}), told=document(changed={**CHANGED, "index": "/at"}), lists=True)
    with pytest.raises(Unstated, match="several lists"):
        loaded(api, found(api, CHANGE))
