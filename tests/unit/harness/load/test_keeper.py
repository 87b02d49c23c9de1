"""What a load process keeps of what it sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history import exchanges
from harness.identities import Identity
from harness.load.journey import Step
from harness.load.keeper import Keeper
from harness.load.plan import Plan
from harness.load.reply import Reply
from harness.load.sample import SUFFIX, Header, read_samples

if TYPE_CHECKING:
    from pathlib import Path

WHO = Identity("ada", headers=(("Authorization", "Bearer t0ken-of-ada"),))
STEP = Step("things.list", "GET", "/things?page=2&q=a%20b", dict(WHO.headers), identity=WHO)
MS = 1_000_000


def keeper(run: Path, *, whole_one_of: int = 100, whole_above_ms: float | None = None) -> Keeper:
    """A keeper of a run in the folder."""
    plan = Plan("http://127.0.0.1:1", run, 1, 1, whole_one_of=whole_one_of, whole_above_ms=whole_above_ms)
    return Keeper(plan, Header(0, 0, 1, 1), [WHO])


def reply(status: int, body: bytes = b"", took_ms: int = 1) -> Reply:
    """An answer that came after so long."""
    return Reply(status, ((b"Content-Type", b"text/plain"),), body, 10, 10 + took_ms * MS)


def test_every_request_is_a_sample_and_a_stated_share_is_whole(tmp_path: Path) -> None:
    """Of 40 good answers, one in ten is written whole, with path, query and identity."""
    kept = keeper(tmp_path, whole_one_of=10)
    for _ in range(40):
        kept.keep(STEP, reply(200), 9)
    kept.close()
    (place,) = (tmp_path / "history").glob(f"*{SUFFIX}")
    assert len(read_samples(place)[1]) == 40
    whole = exchanges(tmp_path)
    assert len({exchange.id for exchange in whole}) == 4
    assert {("/things", (("page", "2"), ("q", "a b")))} == {(one.request.path, one.request.query) for one in whole}
    assert [(one.driver, one.request.identity.name, one.due_ns) for one in whole] == [("load", "ada", 9)] * 4


def test_failures_and_slow_answers_are_whole_up_to_a_bound(tmp_path: Path) -> None:
    """A 5xx, no answer, an unexpected 4xx and what is too slow are written; a flood of them is not."""
    kept = keeper(tmp_path, whole_one_of=10**6, whole_above_ms=50)
    for status, took_ms in ((503, 1), (0, 1), (404, 1), (200, 60), (200, 40)):
        kept.keep(STEP, reply(status, took_ms=took_ms), 9)
    assert [exchange.status for exchange in exchanges(tmp_path)] == [503, 0, 404, 200]
    for _ in range(600):
        kept.keep(STEP, reply(500), 9)
    kept.close()
    assert len(exchanges(tmp_path)) == 500


def test_no_secret_is_written(tmp_path: Path) -> None:
    """Tokens of identities, of answers and in named members do not reach the disk."""
    kept = keeper(tmp_path, whole_one_of=1)
    login = STEP._replace(body=b'{"password": "p4ssword-1"}', secret_pointers=("/value",))
    kept.keep_whole(login, reply(200, b'{"value": "t0ken-of-bob", "echo": "t0ken-of-bob"}'), 1)
    kept.keep(STEP, reply(200, b"t0ken-of-ada and t0ken-of-bob"), 1)
    kept.close()
    written = b"".join(path.read_bytes() for path in (tmp_path / "history").iterdir())
    assert len(exchanges(tmp_path)) == 2
    for secret in (b"t0ken-of-ada", b"t0ken-of-bob", b"p4ssword-1"):
        assert secret not in written
