"""Where a replay is sent: to what the run verified, unless another target is named."""

from __future__ import annotations

import pytest

from harness.replay import _like
from harness.session import Wanted

SAME = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("target", "asked", "expected"),
    [
        ({"kind": "url", "url": SAME}, Wanted(), SAME),
        ({"kind": "url", "url": SAME}, Wanted(url="http://127.0.0.1:2"), "http://127.0.0.1:2"),
        ({"kind": "process", "url": SAME}, Wanted(), ""),
    ],
    ids=["the-runs-own", "another", "started-anew"],
)
def test_the_target_of_a_replay(target: dict[str, str], asked: Wanted, expected: str) -> None:
    """The run's own address; a process is started anew, as its old port is anyone's by now."""
    assert _like(target, asked).url == expected
