"""The catalogue of finding codes is what judges give, and what planted defects declare is in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from harness.codes import CODES
from harness.drivers.fuzz.judgement import JUDGES
from harness.drivers.pytest_plugin import CLAIM
from harness.promises.catalogue import BY_KEY
from harness.render import classes
from reference_impl.defects.catalogue import DEFECTS
from tests.repo.sources import modules, text, tree, within

CODE = re.compile(rf"(?:{'|'.join(map(re.escape, BY_KEY))})\.[a-z]+(?:-[a-z]+)*")


def given() -> set[str]:
    """Every code that is a text in a promise, one for each judged check of Schemathesis, one for tests of one's own."""
    texts = {
        node.value
        for name, path in modules().items()
        if within(name, "harness.promises")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if CODE.fullmatch(text)} | {f"fuzz.{check}" for check in JUDGES} | {CLAIM}


def test_the_catalogue_holds_what_judges_give() -> None:
    """No judge gives a code that the catalogue lacks, and the catalogue has none that no judge gives."""
    lacking = [
        f'harness/codes.toml lacks ["{code}"]: write its title, severity, means and mend, then the page below'
        for code in sorted(given() - CODES.keys())
    ]
    spare = [f'harness/codes.toml has ["{code}"], which no judge gives' for code in sorted(CODES.keys() - given())]
    assert [*lacking, *spare] == []


def test_the_page_is_the_catalogue() -> None:
    """docs/findings.md is what is written from the catalogue."""
    assert text(Path("docs/findings.md")) == classes.page(), "run: harness codes --markdown > docs/findings.md"


def test_defects_declare_codes_of_the_catalogue() -> None:
    """A planted defect counts as caught only by a code that something can give."""
    assert {code for defect in DEFECTS for code in defect.codes} - CODES.keys() == set()
