"""The documents of the reference API and of the DoSQL service, by an independent validator: Redocly's, from npm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.npm_packages import TIMEOUT_S
from tests.integration.started import start

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
# Its recommended rules, none switched off; telemetry and the look for a newer version are, so that nothing is sent.
CONFIGURATION = "extends: [recommended]\ntelemetry: 'off'\n"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
SERVED = {"shop": "reference_impl", "dosql": "reference_impl.dosql"}


def lint(packages: Path, folder: Path, document: str) -> dict[str, Any]:
    """What the validator says of a document."""
    (folder / "redocly.yaml").write_text(CONFIGURATION)
    (folder / "openapi.json").write_text(document)
    program = packages / "node_modules" / ".bin" / "redocly"
    done = subprocess.run(
        [program, "lint", "openapi.json", "--config", "redocly.yaml", "--format", "json"],
        cwd=folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The documents as their commands print them."""
    folder = tmp_path_factory.mktemp("documents")
    found = {}
    for name, module in SERVED.items():
        environment = {"API_PROFILE": "verify", "API_DATA": str(folder / "data")}
        printed = start(folder, "-m", module, "openapi", program=(sys.executable,), environment=environment).done()
        assert printed.code == 0, printed.err
        found[name] = printed.out
    return found


@pytest.mark.parametrize("name", SERVED)
def test_the_validator_has_nothing_to_say(
    packages: Path,
    documents: dict[str, str],
    tmp_path: Path,
    name: str,
) -> None:
    """No error and no warning by any recommended rule."""
    told = lint(packages, tmp_path, documents[name])
    assert told["problems"] == []
    assert told["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_the_validator_is_awake(packages: Path, documents: dict[str, str], tmp_path: Path) -> None:
    """A wrong type is an error, and an example that does not fit a warning: silence means something."""
    document = json.loads(documents["shop"])
    document["components"]["schemas"]["CategoryInput"]["type"] = "thing"
    document["components"]["schemas"]["PostInput"]["properties"]["title"]["examples"] = [17]
    told = lint(packages, tmp_path, json.dumps(document))
    assert told["totals"]["errors"] > 0
    assert "no-invalid-schema-examples" in {problem["ruleId"] for problem in told["problems"]}


@pytest.mark.parametrize("name", SERVED)
def test_the_harness_has_nothing_to_say(documents: dict[str, str], tmp_path: Path, name: str) -> None:
    """`contract lint` names no problem of a document or of what it promises."""
    (tmp_path / "openapi.json").write_text(documents[name])
    done = start(tmp_path, "contract", "lint", "openapi.json").done()
    assert done.code == 0, done.text
    assert "no problem" in done.out
