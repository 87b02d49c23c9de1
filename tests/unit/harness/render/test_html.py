from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.exits import Exit
from harness.finding import Finding, Severity
from harness.render import html
from harness.report import OperationLatency, Report, RunStatus, Target
from harness.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

VOID = {"meta", "input", "br", "rect", "line"}


class Page(HTMLParser):
    """The page's elements, attributes, text and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.opened: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Counts an element and opens it."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Counts an element that has no content."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Closes the innermost element, which must be that one."""
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keeps the text."""
        self.text.append(data)

    @property
    def words(self) -> str:
        """All text, white space as one blank."""
        return " ".join(" ".join(self.text).split())


def page(report: Report) -> Page:
    """The report as a parsed page that is well formed."""
    parsed = Page(html.render(report).decode())
    assert parsed.opened == []
    return parsed


def test_the_verdict_stands_first(sample: Callable[..., Report]) -> None:
    """Word, sentence and exit code come before any other text of the page."""
    words = page(sample(6)).words
    body = words[words.index("Skip to the findings") :]
    assert (
        body.index("FAILS")
        < body.index("The API breaks its contract: 6 findings")
        < body.index("Exit code 1: findings")
    )
    assert body.index("Exit code 1") < body.index("Promised")


def test_the_page_asks_the_network_for_nothing(sample: Callable[..., Report]) -> None:
    """No script, no frame, no image, no address outside the page."""
    parsed = page(sample(30, 60))
    assert not {"script", "iframe", "img", "link", "object", "embed", "form"} & set(parsed.tags)
    assert all(value.startswith("#") for _, name, value in parsed.attributes if name in {"href", "src", "action"})
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert "url(" not in html.render(sample(1)).decode()


def test_every_link_has_its_place(sample: Callable[..., Report]) -> None:
    """Each link within the page leads to an element that is there, and ids are unique."""
    parsed = page(sample(30, 60))
    ids = Counter(value for _, name, value in parsed.attributes if name == "id")
    assert set(ids.values()) == {1}
    assert {value[1:] for _, name, value in parsed.attributes if name == "href"} <= set(ids)


def test_a_large_run_stays_small(sample: Callable[..., Report]) -> None:
    """500 operations, 12 promises and 200 findings make a page below 1.5 MB."""
    assert len(html.render(sample(200, 500))) < 1_500_000


def test_findings_carry_what_a_person_needs(sample: Callable[..., Report]) -> None:
    """A finding has its sentences, class, standing, witnesses, curl lines and the replay command."""
    report = sample(6)
    words = page(report).words
    for finding in report.findings:
        assert f"harness replay {finding.fingerprint}" in words
        assert finding.code in words
    assert "20 orders of 1 were accepted" in words
    assert "OWASP API5:2023 Broken Function Level Authorization" in words
    assert "WFC F200" in words
    assert "seen once" in words
    assert "curl -i -X POST http://127.0.0.1:39211/api/v1/products" in words
    assert "$LINE1_ID /id of the answer to line 1" in words
    assert "No answer: timed out" in words
    assert "binary, 10,240 bytes" in words


def test_a_long_body_is_folded(sample: Callable[..., Report]) -> None:
    """Of a body of many lines the first 20 are open, the rest is behind a `more`, and nothing is lost or doubled."""
    report = sample(1)
    (known,) = [item for item in report.exchanges.values() if item.response][:1]
    body = json.dumps([f"item {number}" for number in range(100)]).encode()
    told = replace(known, response=Response(200, (), body))
    text = html.render(replace(report, exchanges={known.id: told})).decode()
    assert "<summary>82 more lines</summary>" in text
    assert all(text.count(f"&#34;item {number}&#34;") == 1 for number in range(100))
    assert text.index("item 18&") < text.index("82 more lines") < text.index("item 19&")


def test_one_fault_in_many_operations_is_one_entry(sample: Callable[..., Report]) -> None:
    """Findings of one code and kind stand in the first of them, each with its own place and command."""
    report = sample(1)
    first = report.findings[0]
    many = tuple(replace(first, operation=f"op{number}") for number in range(150))
    text = html.render(replace(report, findings=many)).decode()
    assert text.count('<details class="card finding"') == 1
    assert "The same in 149 other operations" in text
    assert "150 findings of 1 kind" in text
    assert all(text.count(f'id="f-{finding.fingerprint}"') == 1 for finding in many)
    assert all(finding.fingerprint in text for finding in many)


def test_the_matrix_tells_each_cell(sample: Callable[..., Report]) -> None:
    """A cell is held with its count, broken with a link, untold with its reason, or empty."""
    report = replace(
        sample(0, 2),
        verdicts=(
            Verdict("roles", "products.list", 7),
            Verdict("owner", "products.list", 2, reason="no <second> identity"),
            Verdict("roles", "", 1, (Finding("roles.status", "a title", Severity.LOW, ""),)),
        ),
    )
    text = html.render(report).decode()
    assert '<td class="p">7</td>' in text
    assert '<td class="i" title="no &lt;second&gt; identity">2</td>' in text
    assert re.search(r'<td class="f" title="a title"><a href="#f-\w+">1</a></td>', text)
    assert text.count("<td></td>") == 3
    assert "(no operation)" in text


@pytest.mark.parametrize("code", [None, *Exit])
@pytest.mark.parametrize("status", list(RunStatus))
def test_every_ending_has_a_page(sample: Callable[..., Report], code: Exit | None, status: RunStatus) -> None:
    """Whatever the ending, with and without findings, the page says it."""
    for count in (0, 1):
        parsed = page(replace(sample(count, 4, exit_code=code), status=status))
        assert parsed.tags["h1"] == 1


def test_an_empty_run_has_a_page() -> None:
    """A run that ended before anything began is rendered with its reason."""
    report = Report("r", RunStatus.PARTIAL, Exit.TARGET, Target("url", "http://127.0.0.1:1"), reason="it refused")
    words = page(report).words
    assert "The target could not be verified: it refused." in words
    assert "No promise was examined." in words
    assert "Nothing was examined." in words
    assert "Everything that was promised" not in words


def test_latency_bars_stand_against_the_objective(sample: Callable[..., Report]) -> None:
    """Each served operation has a bar with a text for who cannot see it; the slow one is marked."""
    parsed = page(sample(1))
    labels = [value for tag, name, value in parsed.attributes if (tag, name) == ("svg", "aria-label")]
    assert labels[0] == "p50 4.1, p95 12.4, p99 31.9 ms; objective 200 ms"
    assert len(labels) == 3
    assert [value for tag, name, value in parsed.attributes if (tag, name) == ("rect", "class")].count("over") == 1


HOSTILE = st.text(st.characters(), max_size=40) | st.sampled_from(
    [
        "</pre></style></title><script>alert(1)</script>",
        '"><svg onload=alert(1)>',
        "{{ 7*7 }}{% raw %}",
        "]]>",
        "\u202e",
        "\0",
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTILE, st.binary(max_size=80))
def test_nothing_from_a_target_becomes_markup(text: str, body: bytes) -> None:
    """Whatever stands in a text or body, the page has the elements that it has without it."""

    def made(text: str, body: bytes) -> Page:
        request = Request("POST", "/" + text, "op", ((text, text),), ((text, text),), body or b"x", step=text)
        exchange = Exchange("e1", request, Response(200, ((text, text),), body or b"x"), 0, 0, 1)
        finding = Finding("c.d", "t" + text, Severity.HIGH, "op" + text, "k" + text, "p" + text, "s" + text, ("e1",))
        report = Report(
            "r" + text,
            RunStatus.COMPLETE,
            Exit.FINDINGS,
            Target("url", "http://h/" + text, "c" + text),
            verdicts=(
                Verdict("p" + text, finding.operation, 1, (finding,)),
                Verdict("q" + text, "other" + text, reason="x" + text),
            ),
            findings=(finding,),
            exchanges={"e1": exchange},
            latencies=(OperationLatency("op" + text, 1, 1.0, 0.0, 1, 2, 3, 4, 5, Status.PASS, "r" + text),),
        )
        return page(report)

    expected, actual = made("plain", b"x"), made(text, body)
    assert actual.tags - Counter(p=9, code=9) == expected.tags - Counter(p=9, code=9)
    assert not [name for _, name, _ in actual.attributes if name.startswith("on")]
