"""Sessions of told accounts: begun once, handed to every process, spoken by where the login is limited."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.actors import Actors
from harness.case import Case
from harness.contract import Contract
from harness.drive import drive
from harness.drivers.fuzz.__main__ import passes
from harness.drivers.fuzz.callers import Callers
from harness.exchange import Exchange, Request, Response
from harness.identities import CREDENTIALS, GIVEN, Identity
from harness.run import MAX_TEXT_BYTES, VARIABLE, Attachment, Run, freeze
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.case import Steps

LOGIN = {"operation": "login", "body": {"name": "{name}"}, "token": "/token"}
TOLD: dict[str, Any] = {
    "login": LOGIN,
    "known": [{"name": name, "roles": [name], "login": {"name": name}} for name in ("ann", "ben")],
}
CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/login": {"post": {"operationId": "login", "responses": {"200": {"description": "a token"}}}}},
    }
)


class Door:
    """Lets so many in, each with a token of its own; then 429."""

    def __init__(self, logins: int, wait_s: int = 7) -> None:
        self.left, self.wait_s = logins, wait_s
        self.asked = 0

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One login."""
        self.asked += 1
        self.left -= 1
        token = json.dumps({"token": f"token-{self.asked}"}).encode()
        answer = Response(200, (), token) if self.left >= 0 else Response(429, (("Retry-After", str(self.wait_s)),))
        return Exchange(f"d{self.asked}", request, answer, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Logins in turn."""
        return tuple(self.send(request, case=case) for request in requests)


class Later(Door):
    """Lets nobody in at first."""

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One login."""
        self.left = 0 if self.asked == 0 else 1
        return super().send(request, case=case)


def entered(actors: Actors, door: Door, role: str, slept: list[float] | None = None) -> Identity:
    """The identity of a role, as a case has it."""
    found: list[Identity] = []

    def steps(stage: Stage) -> Steps[None]:
        found.append((yield from actors.with_role(stage, role)))

    stage = Stage(CONTRACT, actors, Random(0), "abcd")
    waits = slept if slept is not None else []
    driven = drive(Case("roles", "login", "one", steps), stage, door, sleep=waits.append)
    assert driven.reason == ""
    return found[0]


def begun(door: Door) -> dict[tuple[str, str], Identity]:
    """The sessions that a run begins with."""
    found: dict[tuple[str, str], Identity] = {}
    actors = Actors(TOLD)

    def steps(stage: Stage) -> Steps[None]:
        found.update((yield from actors.begun(stage)))

    slept: list[float] = []
    drive(Case("set-up", "login", "sessions", steps), Stage(CONTRACT, actors, Random(0), "a"), door, sleep=slept.append)
    assert slept == []
    return found


@pytest.mark.parametrize(("logins", "names"), [(0, []), (1, ["ann"]), (2, ["ann", "ben"])])
def test_a_run_begins_with_the_sessions_that_it_gets_at_once(logins: int, names: list[str]) -> None:
    """Each account logs in once, none is waited for, and what is shared is doubted as a given credential is."""
    sessions = begun(Door(logins))
    assert [name for _, name in sessions] == names
    assert all(identity.facts[CREDENTIALS] == GIVEN for identity in sessions.values())


def test_a_shared_session_stands_in_for_a_limited_login() -> None:
    """A process whose login is refused with 429 speaks by the shared session at once; one that may logs in itself."""
    sessions = begun(Door(2))
    slept: list[float] = []
    one, two = Actors(TOLD, shared=dict(sessions)), Actors(TOLD, shared=dict(sessions))
    assert entered(one, Door(0), "ben", slept) == sessions["", "ben"]
    assert entered(two, Door(1), "ben", slept).headers == (("Authorization", "Bearer token-1"),)
    assert slept == []


def test_no_shared_session_stands_in_for_a_lost_one() -> None:
    """Whose credentials are not accepted any more waits for its login; that says nothing of others, nor of a quota."""
    actors = Actors(TOLD, shared=begun(Door(2)))
    ann = entered(actors, Door(0), "ann")
    slept: list[float] = []
    actors.forget()
    assert entered(actors, Door(0), "ann", slept) == ann
    actors.forget(ann)
    assert entered(actors, Later(0), "ann", slept).headers == (("Authorization", "Bearer token-2"),)
    assert slept == [7.0]
    assert entered(actors, Door(0), "ben", slept).headers == (("Authorization", "Bearer token-2"),)


def test_a_fuzzing_says_why_a_lost_identity_cannot_be_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login at a limit that cannot be waited out is told; it does not go on by the session of the run's start."""
    freeze(CONTRACT, tmp_path)
    with Run(Attachment(str(tmp_path), "http://127.0.0.1:9", 7, TOLD, {}), "fuzz", contract=CONTRACT) as run:
        run.share(begun(Door(2)))
        monkeypatch.setattr(run.recorder, "send", Door(0, wait_s=3600).send)
        monkeypatch.setattr(run.recorder, "release", Door(0, wait_s=3600).release)
        first = passes(run)[0]
        assert first.renew is not None
        callers = Callers(first.identity, run.recorder.clock, renew=first.renew, anonymous=first.anonymous)
        assert callers.renewed(first.identity) is None
    assert callers.lost.endswith("(429) for longer than can be waited; it says to come again after 3600 s")


def test_without_a_shared_session_the_login_is_waited_for() -> None:
    """Where nobody has a session of the account, Retry-After is waited out."""
    slept: list[float] = []
    assert entered(Actors(TOLD), Later(0), "ann", slept).name == "ann"
    assert slept == [7.0]


def test_sessions_pass_to_other_processes_and_into_no_file(tmp_path: Path) -> None:
    """What is attached afterwards speaks by the same sessions, and their tokens are masked there."""
    freeze(CONTRACT, tmp_path)
    sessions = begun(Door(2))
    with Run(Attachment(str(tmp_path), "http://127.0.0.1:9", 7, TOLD, {}), "one", contract=CONTRACT) as run:
        run.share(sessions)
        told = run.attachment.to_json()
    with Run(Attachment.from_json(told), "two", contract=CONTRACT) as other:
        assert other.attachment == run.attachment
        assert other.actors.shared == sessions
        assert "token-1" not in other.recorder.mask.text("it was token-1")
    assert [file for file in tmp_path.rglob("*") if file.is_file() and b"token-1" in file.read_bytes()] == []


@given(st.lists(st.integers(1, 30_000), max_size=30), st.sampled_from(["t", "é", "\N{GRINNING FACE}"]))
@settings(max_examples=25, deadline=None)
def test_sessions_go_into_an_environment_as_far_as_it_has_room(lengths: list[int], letter: str) -> None:
    """However many and long they are, a process can be started with them, and the first of them are in it."""
    sessions = tuple(
        Identity(f"n{number}", headers=(("Authorization", "Bearer " + letter * length),))
        for number, length in enumerate(lengths)
    )
    attachment = Attachment("folder", "http://127.0.0.1:9", 7, TOLD, {"PASSWORD": "s3cret"}, sessions=sessions)
    text = attachment.to_json()
    subprocess.run(["true"], env={VARIABLE: text}, check=True)  # noqa: S607 - what every system has
    told = Attachment.from_json(text)
    assert told.sessions == sessions[: len(told.sessions)]
    assert replace(told, sessions=sessions) == attachment
    left = sessions[len(told.sessions) :]
    assert not left or len(text) + len(json.dumps([asdict(left[0])])) > MAX_TEXT_BYTES


def test_a_session_that_is_left_out_is_logged_in_anew(tmp_path: Path) -> None:
    """The process that it had no room for waits for the login of that account, and speaks by the others' sessions."""
    freeze(CONTRACT, tmp_path)
    ann, ben = (
        Identity(name, (name,), headers=(("Authorization", "Bearer " + name * 22_000),)) for name in ("ann", "ben")
    )
    whole = Attachment(str(tmp_path), "http://127.0.0.1:9", 7, TOLD, {}, sessions=(ann, ben))
    with Run(Attachment.from_json(whole.to_json()), "two", contract=CONTRACT) as run:
        slept: list[float] = []
        assert entered(run.actors, Door(0), "ann", slept) == ann
        assert entered(run.actors, Later(0), "ben", slept).headers == (("Authorization", "Bearer token-2"),)
        assert slept == [7.0]
