from __future__ import annotations

import pytest

from harness.codes import CODES, references


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        (
            "resource.mass-assignment",
            "/price",
            ("OWASP API3:2023 Broken Object Property Level Authorization", "WFC F303"),
        ),
        ("leaks.stack", "", ("OWASP API8:2023 Security Misconfiguration", "WFC F309")),
        ("schema.server-error", "500", ("WFC F100",)),
        ("schema.server-error", "503", ("WFC F121",)),
        ("ledger.overdrawn", "", ()),
        ("gone.with-a-version", "", ()),
    ],
)
def test_a_class_is_known_elsewhere(code: str, kind: str, expected: tuple[str, ...]) -> None:
    """A code tells the numbers of the catalogues that have the same fault, and none where none has or it is unknown."""
    assert references(code, kind) == expected


def test_each_code_has_a_meaning_of_its_own_line() -> None:
    """Every meaning is one line, and every number of another catalogue makes a reference."""
    for code, entry in CODES.items():
        assert entry.meaning, code
        assert "\n" not in entry.meaning
        assert len(entry.references) == bool(entry.wfc) + bool(entry.owasp)
