"""Uploads have room for so many bytes at once, counted before any of them is read."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.edge.exchange import Exchange
from reference_impl.edge.intake import UPLOADS, Intake
from reference_impl.edge.multipart import FRAME_BYTES
from reference_impl.errors import ApiError
from reference_impl.settings import load

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

SETTINGS = load({"API_PROFILE": "verify", "API_TOKEN_KEY": "k" * 40})
LARGEST = SETTINGS.edge.upload_limit_bytes + FRAME_BYTES
FORM = "multipart/form-data; boundary=b"


class Door:
    """An intake whose application works until it is told to end."""

    def __init__(self) -> None:
        self.at_work = 0
        self._ends: list[asyncio.Event] = []
        self._begun: list[asyncio.Task[None]] = []
        self._intake = Intake(self._work, SETTINGS)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        self.at_work += 1
        self._ends.append(end := asyncio.Event())
        try:
            await end.wait()
        finally:
            self.at_work -= 1

    async def ask(self, length: int | None, kind: str = FORM) -> str:
        """Begin a request; `at work`, or the code of its refusal."""
        headers = {"content-type": kind} | ({} if length is None else {"content-length": str(length)})
        exchange = Exchange("r", "POST", headers, "127.0.0.1", secure=False, started_s=0.0)
        scope: Any = {"type": "http", "query_string": b"", "exchange": exchange}
        task = asyncio.ensure_future(self._intake(scope, None, None))  # type: ignore[arg-type]  # nothing is read or sent
        await asyncio.sleep(0)
        if task.done():
            error = task.exception()
            assert isinstance(error, ApiError)
            return error.code
        self._begun.append(task)
        return "at work"

    async def end(self, *, cut: bool) -> None:
        """End the request that is at work the longest, by itself or as its client's going does."""
        task, end = self._begun.pop(0), self._ends.pop(0)
        if cut:
            task.cancel()
        end.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def close(self) -> None:
        """End all."""
        while self._begun:
            await self.end(cut=False)


@given(
    steps=st.lists(st.one_of(st.none(), st.booleans(), st.integers(1, LARGEST), st.just(LARGEST)), max_size=80),
)
def test_no_more_is_let_in_than_there_is_room_for(steps: list[int | bool | None]) -> None:
    """A number is an upload of that size, None one that does not tell it, and a boolean ends one (True: is cut)."""

    async def run() -> None:
        door, held = Door(), []
        for step in steps:
            if isinstance(step, bool):
                if held:
                    held.pop(0)
                    await door.end(cut=step)
                continue
            size = LARGEST if step is None else step
            fits = sum(held) + size <= UPLOADS * LARGEST
            assert await door.ask(step) == ("at work" if fits else "UNAVAILABLE")
            held += [size] * fits
            assert door.at_work == len(held)
        await door.close()

    asyncio.run(run())


def test_other_bodies_wait_for_no_upload() -> None:
    """With no room left JSON goes on, an upload is asked to come again, and a later one has the room that came free."""

    async def run() -> None:
        door = Door()
        for _ in range(UPLOADS):
            assert await door.ask(None) == "at work"
        assert await door.ask(1) == "UNAVAILABLE"
        assert await door.ask(2, "application/json") == "at work"
        await door.end(cut=False)
        assert await door.ask(1) == "at work"
        await door.close()

    asyncio.run(run())


@pytest.mark.parametrize("length", [LARGEST + 1, 10**17])
def test_what_is_too_large_takes_no_room(length: int) -> None:
    """It is refused as such, also where there is no room."""

    async def run() -> None:
        door = Door()
        for _ in range(UPLOADS):
            assert await door.ask(None) == "at work"
        assert await door.ask(length) == "PAYLOAD_TOO_LARGE"
        await door.close()

    asyncio.run(run())


def test_an_answer_that_has_begun_holds_no_room() -> None:
    """What answers for hours, as a stream does, keeps no upload out."""

    async def run() -> None:
        end = asyncio.Event()

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            del scope, receive
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            await end.wait()

        async def sent(message: Message) -> None:
            assert message["type"].startswith("http.response.")

        intake = Intake(stream, SETTINGS)
        begun = []
        for _ in range(2 * UPLOADS):
            exchange = Exchange("r", "GET", {"content-type": FORM}, "127.0.0.1", secure=False, started_s=0.0)
            scope: Any = {"type": "http", "query_string": b"", "exchange": exchange}
            begun.append(asyncio.ensure_future(intake(scope, None, sent)))  # type: ignore[arg-type]  # nothing is read
            await asyncio.sleep(0)
        assert not any(one.done() for one in begun)
        end.set()
        await asyncio.gather(*begun)

    asyncio.run(run())
