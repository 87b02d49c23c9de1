"""The catalogue of findings: each class with what a reader needs, and its numbers elsewhere."""

from __future__ import annotations

import pytest

from harness.codes import CODES, RISKS, references

# Web Fuzzing Commons, release 0.9.0, and what Schemathesis 4.32 adds to it.
WFC = {*range(100, 121), 121, 122, *range(200, 208), *range(300, 312)}


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
        ("fuzz.unsupported_method", "no Allow", ("WFC F110",)),
        ("fuzz.unsupported_method", "TRACE accepted", ("WFC F310",)),
        ("fuzz.unsupported_method", "another", ()),
        ("owner.status", "stranger", ("OWASP API1:2023 Broken Object Level Authorization",)),
        ("ledger.overdrawn", "", ()),
        ("gone.with-a-version", "", ()),
    ],
)
def test_a_class_is_known_elsewhere(code: str, kind: str, expected: tuple[str, ...]) -> None:
    """A code tells the numbers of the catalogues that have the same fault, and none where none has or it is unknown."""
    assert references(code, kind) == expected


@pytest.mark.parametrize("name", CODES)
def test_each_code_tells_what_a_reader_needs(name: str) -> None:
    """A title of one line, sentences on what it means and how to mend it, and numbers that there are."""
    code = CODES[name]
    assert code.title
    assert "\n" not in code.title
    assert not code.title.endswith(".")
    for sentence in (code.means, code.mend):
        assert sentence.endswith("."), f"{name}: end it as a sentence: {sentence!r}"
        assert "\n" not in sentence
    assert code.owasp in {0, *RISKS}
    assert set(code.told_by) <= CODES.keys() - {name}
    assert not any(CODES[other].told_by for other in code.told_by), "a code that tells others is told by none"
    assert {code.wfc, *code.wfc_by_kind.values()} - {0} <= WFC, f"{name} has a number that Web Fuzzing Commons lacks"


def test_titles_tell_codes_apart() -> None:
    """No two codes share a title."""
    titles = [code.title for code in CODES.values()]
    assert sorted(set(titles)) == sorted(titles)


def test_numbers_agree_with_those_of_schemathesis() -> None:
    """Where Schemathesis reports the same fault in Web Fuzzing Commons' format, it has the same number."""
    wfc_report = pytest.importorskip("schemathesis.cli.wfc_report", reason="this Schemathesis writes no such report")
    names = wfc_report.FAULT_CATEGORY_IDS
    shared = {
        ("schema.server-error", "500"): "HTTP_STATUS_500",
        ("schema.server-error", "502"): "HTTP_OTHER_STATUS_5XX",
        ("schema.server-error", "501"): "SCHEMA_STATUS_NO_501_IF_IMPLEMENTED",
        ("schema.body", ""): "SCHEMA_INVALID_RESPONSE",
        ("fuzz.allow_header_conformance", ""): "SCHEMA_INVALID_ALLOW",
        ("fuzz.positive_data_acceptance", ""): "SCHEMA_VALID_INPUT_REJECTED",
        ("fuzz.missing_required_header", ""): "SCHEMA_VALIDATION_BYPASS",
        ("fuzz.unsupported_method", "no Allow"): "HTTP_STATUS_NO_405_IF_NO_ALLOW",
        ("fuzz.unsupported_method", "TRACE accepted"): "SECURITY_HIDDEN_ACCESSIBLE_ENDPOINT",
        ("fuzz.use_after_free", ""): "HTTP_NONWORKING_DELETE",
        ("fuzz.ignored_auth", ""): "SECURITY_DECLARED_AUTH_NOT_ENFORCED",
        ("fuzz.ensure_resource_availability", ""): "HTTP_CREATED_RESOURCE_NOT_FOUND",
    }
    assert {key: names[CODES[key[0]].fault(key[1])] for key in shared} == shared
