"""Samples and their file, whole and cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.sample import Header, Sample, SamplesError, SampleWriter, from_line, merged, read_samples, to_line

if TYPE_CHECKING:
    from pathlib import Path

HEADER = Header(start_ns=1_000, judged_from_ns=50, planned=3, pid=7)
INSTANTS = st.integers(0, 2**62)
SAMPLES = st.builds(
    Sample,
    st.text(max_size=20),
    st.integers(0, 599),
    INSTANTS,
    INSTANTS,
    INSTANTS,
    st.text(max_size=20),
    st.booleans(),
)


@given(SAMPLES)
def test_a_line_reads_back_as_its_sample(sample: Sample) -> None:
    """A sample is one line, whatever its texts hold, and reads back the same."""
    line = to_line(sample)
    assert line.count("\n") == 1
    assert sample == from_line(line)


def test_a_file_cut_at_any_byte_gives_the_samples_before_the_cut(tmp_path: Path) -> None:
    """What a killed run left is read up to its last whole line."""
    samples = [Sample("products.list", 200, n, n + 1, n + 2, "späť" if n % 2 else "") for n in range(5)]
    path = tmp_path / "whole"
    with SampleWriter(path, HEADER) as writer:
        for sample in samples:
            writer.add(sample)
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    for size in range(head, len(whole) + 1):
        path.write_bytes(whole[:size])
        header, found = read_samples(path)
        assert header == HEADER
        assert found == samples[: whole[head:size].count(b"\n")]


def test_samples_wait_for_the_flush_and_a_second_close_does_nothing(tmp_path: Path) -> None:
    """Only what was flushed is on the disk."""
    path = tmp_path / "samples"
    writer = SampleWriter(path, HEADER)
    writer.add(Sample("a", 200, 1, 2, 3))
    assert read_samples(path)[1] == []
    writer.flush()
    assert len(read_samples(path)[1]) == 1
    writer.close()
    writer.close()
    assert writer.written == 1


@pytest.mark.parametrize(
    "text",
    ["", "no line end", '{"v": 2, "type": "load-samples"}\n', '{"v": 1, "type": "other"}\n'],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is none of this version's is an error and not an empty run."""
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(SamplesError):
        read_samples(path)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """Damage before the last line is told with its line number."""
    path = tmp_path / "damaged"
    SampleWriter(path, HEADER).close()
    with path.open("a") as file:
        file.write(json.dumps(["a", 200]) + "\n")
    with pytest.raises(SamplesError, match="line 2"):
        read_samples(path)


def test_the_warm_up_is_left_out_and_parts_are_merged_by_due_time() -> None:
    """Samples of several processes stand in one order, judged ones only."""
    early, late, between = (Sample("a", 200, due, due, due) for due in (1_049, 1_090, 1_060))
    assert [between, late] == merged([(HEADER, [late, early]), (HEADER, [between])])


@pytest.mark.parametrize(
    ("sample", "traits"),
    [
        (Sample("a", 200, 0, 0, 1), {"timed"}),
        (Sample("a", 409, 0, 0, 1), {"timed"}),
        (Sample("a", 401, 0, 0, 1)._replace(expected=False), {"refused"}),
        (Sample("a", 503, 0, 0, 1)._replace(expected=False), {"failed"}),
        (Sample("a", 0, 0, 0, 1, "connection refused"), {"failed"}),
        (Sample("a", 0, 0, 0, 1, "timed out after 10 s"), {"failed", "timed"}),
    ],
)
def test_what_counts_as_failed_refused_and_timed(sample: Sample, traits: set[str]) -> None:
    """A quick error has no latency to judge, a time-out has: at least so long."""
    told = {"failed": sample.failed, "refused": sample.refused, "timed": sample.has_latency}
    assert traits == {name for name, holds in told.items() if holds}
