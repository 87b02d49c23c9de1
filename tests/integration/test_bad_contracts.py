"""Contracts, overlays and promises that are wrong: one message with the value, the rule and the fix, exit 2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.notes_api import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done

OVERLAY = "overlay: 1.0.0\ninfo: {title: promises, version: '1'}\nactions:\n"
WRONG = {
    "missing": (None, "cannot be read: No such file or directory; give the path of an existing file"),
    "empty": ("", "it is None; a document is an object with openapi, info and paths"),
    "list": ("[1, 2]", "it is [1, 2]; a document is an object"),
    "swagger": ('{"swagger": "1.2", "paths": {"/a": {}}}', "swagger is '1.2'; it must be the string 2.0"),
    "other": ('{"hello": "world"}', "openapi is None; it must be a 3.0.x or 3.1.x string"),
    "no-paths": ('{"openapi": "3.1.0", "info": {}, "paths": {}}', "it must be an object with at least one path"),
    "yaml": ("openapi: 3.1.0\n  paths: [", "is neither JSON nor YAML"),
    "bytes": ("\x00\x01\x02", "is neither JSON nor YAML"),
}
OVERLAYS = {
    "missing": (None, "cannot be read"),
    "unknown-key": (
        OVERLAY + "  - {target: $, update: {}, describe: me}\nversion: 2\n",
        "unknown key 'describe'; allowed are description, remove, target, update",
    ),
    "meets-nothing": (
        OVERLAY + "  - {target: \"$.paths['/nots']\", update: {x: 1}}\n",
        "meets nothing in the document",
    ),
    "no-path": (OVERLAY + "  - {target: '$[[', update: {}}\n", "is not a JSONPath"),
    "unknown-promise": (
        OVERLAY + "  - {target: $, update: {x-promises: {rolls: {}}}}\n",
        "x-promises has the unknown key 'rolls'; known are",
    ),
    "wrong-operation": (
        OVERLAY + "  - {target: $, update: {x-promises: {resource: {note: {create: notes.make, id: /id}}}}}\n",
        "is 'notes.make', which is no operationId of the document; compare the spelling",
    ),
}


def written(folder: Path, name: str, text: str | None) -> str:
    """The path of a file with the text; of none where there is none."""
    if text is not None:
        (folder / name).write_text(text)
    return name


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_a_contract_that_is_none(harness: Callable[..., Done], project: Path, text: str | None, reason: str) -> None:
    """A contract that is not there or is no OpenAPI 3 document is told before anything is started."""
    name = written(project, "contract.json", text)
    done = harness("verify", "--contract", name)
    assert done.code == 2
    assert name in done.err
    assert reason in done.err
    assert not (project / "notes.pid").exists()
    assert not (project / "reports").exists()


@pytest.mark.parametrize(("text", "reason"), OVERLAYS.values(), ids=OVERLAYS)
def test_an_overlay_that_does_not_fit(
    harness: Callable[..., Done], project: Path, text: str | None, reason: str
) -> None:
    """An overlay with an unknown key, an action that meets nothing or a promise that is not known is told whole."""
    (project / "contract.json").write_text(json.dumps(DOCUMENT))
    done = harness("verify", "--contract", "contract.json", "--overlay", written(project, "overlay.yaml", text))
    assert done.code == 2
    assert reason in done.err


def test_a_served_contract_that_is_none(harness: Callable[..., Done], project: Path) -> None:
    """A target whose document is not where it was looked for is told with every place that was tried, and is ended."""
    served = harness("verify", "--contract", "/health")
    assert served.code == 2
    assert "/health is not an OpenAPI 2.0, 3.0 or 3.1 document" in served.err
    assert list(project.glob("reports/2*")) == []
    missing = harness("verify", "--contract", "/no-such-place")
    assert missing.code == 2
    assert "answered 404, not 200; give the document's path or file with --contract" in missing.err


def test_lint_tells_every_problem(harness: Callable[..., Done], project: Path) -> None:
    """`harness contract lint` names each wrong promise with its place, all at once, and ends with 2."""
    document = json.loads(json.dumps(DOCUMENT))
    document["x-promises"]["rolls"] = {}
    document["paths"]["/notes"]["get"]["x-promises"] = {"objective": {"p95_ms": "fast"}}
    document["paths"]["/notes/{id}"]["get"]["x-promises"] = {"owner": {"resource": "nothing"}}
    (project / "contract.json").write_text(json.dumps(document))
    done = harness("contract", "lint", "contract.json")
    assert done.code == 2
    for told in ("unknown key 'rolls'", "GET /notes x-promises.objective.p95_ms", "'nothing', which is no resource"):
        assert told in done.err
    assert "3 problems" in done.err


def test_lint_of_a_sound_contract(harness: Callable[..., Done], project: Path) -> None:
    """`harness contract lint` counts operations and says what is promised and which resources it sees."""
    (project / "contract.json").write_text(json.dumps(DOCUMENT))
    done = harness("contract", "lint", "contract.json")
    assert done.code == 0
    assert "4 operations, no problem" in done.out
    assert "resource note" in done.out
