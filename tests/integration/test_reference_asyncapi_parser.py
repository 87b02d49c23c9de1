"""The AsyncAPI document by the judgement of AsyncAPI's own parser from npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest

from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.realtime.asyncapi import render

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PACKAGE = "@asyncapi/parser@3.6.3"
SCRIPT = """
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync("asyncapi.json", "utf8");
new Parser().parse(text).then(({ document, diagnostics }) => {
  const operations = document ? document.allOperations().all().length : 0;
  console.log(JSON.stringify({ diagnostics, operations }));
});
"""


def test_its_parser_finds_nothing(tmp_path: Path) -> None:
    """It is read whole, without an error or a warning; one with an unknown action is refused by the same parser."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: AsyncAPI's parser cannot be run")
    install = (
        str(shutil.which("npm")),
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        PACKAGE,
    )
    (tmp_path / "package.json").write_text('{"private": true}')
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    document = json.loads(msgspec.json.encode(render(PROCEDURES)))
    right, wrong = (
        _judged(tmp_path, one) for one in (document, {**document, "operations": {"x": {"action": "shout"}}})
    )
    assert [one for one in right["diagnostics"] if one["severity"] < 2] == []  # 0 is an error, 1 a warning
    assert right["operations"] == len(document["operations"])
    assert [one for one in wrong["diagnostics"] if one["severity"] == 0]


def _judged(folder: Path, document: object) -> dict[str, object]:
    (folder / "asyncapi.json").write_text(json.dumps(document))
    command = (str(shutil.which("node")), "-e", SCRIPT)
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=120)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
