"""The review checklist: what verdicts and marked tests tell of its items, and what is wrong with its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import checklist
from harness.checked import Standing
from harness.checklist import Item
from harness.errors import UsageError
from harness.finding import Finding, Severity
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["A", "B"]),
            "test": st.sampled_from(["one", "two"]),
            "status": st.sampled_from(["passed", "failed", "skipped"]),
            "reason": st.just("why"),
        }
    ),
    max_size=6,
)


def found(promise: str, code: str) -> Verdict:
    """A verdict with one finding."""
    finding = Finding(code=code, title="t", severity=Severity.HIGH, operation="a.b", kind="k", promised="p", seen="s")
    return Verdict(promise, "a.b", 3, (finding,))


def standing(item: Item, told: list[Verdict], tests: list[dict[str, Any]] | None = None) -> Standing:
    """The standing of one item."""
    return checklist.checked([item], told, tests or [])[0].standing


@given(RECORDS)
def test_marked_tests_tell_of_their_items_alone(records: list[dict[str, Any]]) -> None:
    """One that failed fails the item, else one that was skipped leaves it unknown; none at all is never a pass."""
    own = [record["status"] for record in records if record["id"] == "A"]
    expected = Standing.FAIL if "failed" in own else Standing.UNKNOWN if "skipped" in own or not own else Standing.PASS
    assert standing(Item("A", "l", "t", tested=True), [], records) is expected


def test_promises_tell_by_what_was_examined() -> None:
    """A finding fails, what was not examined of any promise that is named is unknown, the rest passes."""
    item = Item("A", "l", "t", promises=("schema", "leaks"))
    assert standing(item, []) is Standing.UNKNOWN
    assert standing(item, [Verdict("schema", "a.b", 3)]) is Standing.UNKNOWN
    both = [Verdict("schema", "a.b", 3), Verdict("leaks", "a.b", 2)]
    assert standing(item, both) is Standing.PASS
    assert standing(item, [*both, Verdict("leaks", "c.d", reason="no time")]) is Standing.UNKNOWN
    assert standing(item, [*both, found("leaks", "leaks.stack")]) is Standing.FAIL


def test_codes_narrow_what_fails_an_item() -> None:
    """Only findings of the codes that are named count against it."""
    item = Item("A", "l", "t", promises=("schema",), codes=("schema.request",))
    assert standing(item, [found("schema", "schema.response")]) is Standing.PASS
    assert standing(item, [found("schema", "schema.request.extra")]) is Standing.FAIL


def test_an_item_that_does_not_apply_has_its_reason() -> None:
    """It is neither a pass nor unknown."""
    shown = checklist.checked([Item("A", "l", "t", not_applicable="no CDN")], [], [])[0]
    assert (shown.standing, shown.evidence) == (Standing.NOT_APPLICABLE, "no CDN")


def test_every_problem_of_the_file_is_told_at_once(tmp_path: Path) -> None:
    """Items that stand twice, promises that are none, items that nothing tells of, codes of no promise."""
    file = tmp_path / "checklist.toml"
    file.write_text(
        '[[item]]\nid = "A"\nlist = "l"\ntext = "t"\npromises = ["nonsense"]\n'
        '[[item]]\nid = "A"\nlist = "l"\ntext = "t"\n'
        '[[item]]\nid = "B"\nlist = "l"\ntext = "t"\ntested = true\ncodes = ["x"]\nnot_applicable = "no"\n',
        encoding="utf-8",
    )
    with pytest.raises(UsageError) as caught:
        checklist.read(file)
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "item 'A' names nonsense, which is no promise",
        "item 'A' stands there twice",
        "item 'A' has neither not_applicable nor promises or tested",
        "item 'B' has not_applicable and tested",
        "item 'B' has codes without promises",
    ]


@pytest.mark.parametrize(("text", "part"), [("[[item]", "not TOML"), ("[[item]]\nid = 3\n", "problem")])
def test_a_file_that_is_no_checklist_is_refused(tmp_path: Path, text: str, part: str) -> None:
    """The message says what is wrong with it."""
    file = tmp_path / "checklist.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=part):
        checklist.read(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(UsageError, match="cannot be read"):
        checklist.read(tmp_path / "none.toml")
