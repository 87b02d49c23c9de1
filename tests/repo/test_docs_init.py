"""docs/init.md: its example is what `harness init` and `harness contract plan` say and write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness import cli
from harness.contract.candidates import Kind
from harness.exits import Exit
from tests.repo.sources import blocks, text

if TYPE_CHECKING:
    import pytest

PAGE = Path("docs/init.md")


def test_the_example_is_what_comes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document of the page, begun and planned, gives the output and the overlay that the page shows."""
    (document,) = blocks(PAGE, "json")
    said, overlay, plan = (block.body.rstrip() for block in blocks(PAGE, "text"))
    monkeypatch.chdir(tmp_path)
    Path("openapi.json").write_text(document.body)
    assert cli.run(["init", "--contract", "openapi.json"]) is Exit.HOLDS
    assert capsys.readouterr().out.rstrip() == said
    assert Path("overlay.yaml").read_text().startswith(overlay + "\n")
    assert cli.run(["contract", "lint", "openapi.json", "--overlay", "overlay.yaml"]) is Exit.HOLDS
    capsys.readouterr()
    assert cli.run(["contract", "plan", "openapi.json"]) is Exit.HOLDS
    assert capsys.readouterr().out.rstrip() == plan


def test_every_kind_of_evidence_has_its_weight_in_the_table() -> None:
    """The table of weights is that of the code."""
    rows = re.findall(r"^\| (\d+) \| ([a-z]+)", text(PAGE), re.MULTILINE)
    assert [(int(weight), word) for weight, word in rows] == [
        (kind.value, kind.name.lower()) for kind in Kind if kind is not Kind.DEEP_LINK
    ]
    assert f"({Kind.DEEP_LINK.value} where it points deep into the answer)" in text(PAGE)
