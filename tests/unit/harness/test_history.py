"""The append-only history: what is written is read back, whatever ended the writer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import LONG_BYTES, Exchange, Outcome, Request, Response, outcome_of
from harness.history import FOLDER, Growing, Journal, exchanges, lines
from harness.identities import Identity

TEXT = st.text(max_size=20)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
BODIES = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.binary(min_size=1, max_size=4).map(lambda part: part + b" " * LONG_BYTES),
)
EXCHANGES = st.builds(
    Exchange,
    id=TEXT,
    request=st.builds(
        Request,
        method=st.sampled_from(["GET", "POST"]),
        path=TEXT,
        operation=TEXT,
        query=PAIRS,
        headers=PAIRS,
        body=st.none() | BODIES,
        identity=st.builds(Identity, TEXT, st.just(("seller",)), TEXT, facts=st.dictionaries(TEXT, TEXT, max_size=2)),
        step=TEXT,
    ),
    response=st.none() | st.builds(Response, st.integers(100, 599), PAIRS, st.just(b"") | BODIES),
    due_ns=st.integers(0, 2**60),
    sent_ns=st.integers(0, 2**60),
    done_ns=st.integers(0, 2**60),
    driver=TEXT,
    case=TEXT,
    group=st.integers(0, 9),
    error=TEXT,
)

WRITER = """
import sys
from pathlib import Path
from harness.history import Journal
journal = Journal(Path(sys.argv[1]))
number = 0
while True:
    journal.append({"number": number})
    print(number, flush=True)
    number += 1
"""


@given(EXCHANGES)
def test_a_line_gives_the_exchange_back(exchange: Exchange) -> None:
    """An exchange written as JSON is read back whole, bytes that are no text included."""
    assert Exchange.from_record(json.loads(json.dumps(exchange.to_record()))) == exchange


def test_files_of_several_processes_merge_by_their_clock(tmp_path: Path) -> None:
    """Exchanges of all files come back in the order of sending."""
    for name, instants in (("a", (3, 1)), ("b", (2, 4))):
        journal = Journal(tmp_path / FOLDER / f"{name}.jsonl")
        for instant in instants:
            journal.append(Exchange(f"{name}{instant}", Request("GET", "/"), None, 0, instant, instant).to_record())
        journal.close()
    assert [exchange.id for exchange in exchanges(tmp_path)] == ["a1", "b2", "a3", "b4"]


def test_a_line_cut_short_is_passed_over(tmp_path: Path) -> None:
    """A last line without its end costs that line only."""
    path = tmp_path / "h.jsonl"
    path.write_bytes(b'{"number":1}\n{"number":2}\n{"num')
    assert list(lines(path)) == [{"number": 1}, {"number": 2}]


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    """A driver that sent nothing left no file, and that is no error."""
    assert list(lines(tmp_path / "none.jsonl")) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=8)), max_size=12), st.data())
def test_what_grows_is_read_once_and_only_when_whole(told: list[tuple[str, str]], data: st.DataObject) -> None:
    """However the writing of several files is cut up, each record is told once, its file's in their order."""
    texts = dict.fromkeys("ab", b"")
    for number, (name, word) in enumerate(told):
        texts[name] += json.dumps({"number": number, "word": word}, ensure_ascii=False).encode() + b"\n"
    with tempfile.TemporaryDirectory() as folder:
        growing, read, left = Growing(Path(folder)), [], dict(texts)
        while any(left.values()):
            name = data.draw(st.sampled_from([name for name, text in left.items() if text]))
            cut = data.draw(st.integers(1, len(left[name])))
            with (Path(folder) / f"{name}.jsonl").open("ab") as file:
                file.write(left[name][:cut])
            left[name] = left[name][cut:]
            read += growing.more()
        assert growing.more() == []
    for name in "ab":
        own = [number for number, (file, _) in enumerate(told) if file == name]
        assert [record["number"] for record in read if record["number"] in own] == own
    assert len(read) == len(told)


def test_a_closed_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Appending after close adds to the same file."""
    journal = Journal(tmp_path / "h.jsonl")
    for number in range(3):
        journal.append({"number": number})
        journal.close()
    assert [record["number"] for record in lines(journal.path)] == [0, 1, 2]


def test_a_lone_surrogate_is_kept(tmp_path: Path) -> None:
    """Text that no encoding allows, which a fuzzer sends, neither breaks the writer nor the reader."""
    journal = Journal(tmp_path / "h.jsonl")
    journal.append({"text": "\ud800"})
    journal.close()
    assert list(lines(journal.path)) == [{"text": "\ud800"}]


def test_a_killed_writer_loses_nothing_that_it_had_told(tmp_path: Path) -> None:
    """After SIGKILL every record whose append had returned stands in the file."""
    path = tmp_path / "h.jsonl"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert [record["number"] for record in lines(path)][: len(told)] == told


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, Outcome.UNKNOWN),
        (200, Outcome.OK),
        (304, Outcome.OK),
        (404, Outcome.REFUSED),
        (429, Outcome.REFUSED),
        (500, Outcome.UNKNOWN),
        (503, Outcome.UNKNOWN),
    ],
)
def test_no_answer_and_a_server_error_leave_the_effect_unknown(status: int | None, expected: Outcome) -> None:
    """Only a 4xx says that nothing happened; no answer and a 5xx may have had their effect."""
    assert outcome_of(status) is expected
