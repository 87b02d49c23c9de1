"""How long a request may take, on a clock that only waiting moves: its body's coming and its work have a bound each."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from reference_impl.edge.exchange import Exchange
from reference_impl.edge.timeout import Timeout
from reference_impl.errors import ApiError
from reference_impl.settings import load

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

TIMEOUT_S = 30.0
WAITS = st.lists(st.integers(0, 40), min_size=1, max_size=4)


class Waiting(selectors.DefaultSelector):
    """A selector for which time passes at once."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """What is ready; the time is that at which the next thing is due."""
        self.now_s += timeout or 0.0
        return super().select(0)


def answered(pieces_s: list[int], work_s: int, *, begun_first: bool = False) -> str:
    """What becomes of a request whose body comes in pieces after such waits, and whose work then takes so long."""
    selector = Waiting()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now_s  # type: ignore[method-assign]  # the one way to give a loop its clock
    left = list(pieces_s)

    async def receive() -> Message:
        await asyncio.sleep(left.pop(0))
        return {"type": "http.request", "body": b"x", "more_body": bool(left)}

    async def send(_message: Message) -> None:
        return

    async def work(_scope: Scope, receive: Receive, send: Send) -> None:
        if begun_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["more_body"]:
            pass
        await asyncio.sleep(work_s)

    scope = {"type": "http", "exchange": Exchange("id", "POST", {}, "", secure=False, started_s=0.0)}
    timeout = Timeout(work, load({"API_PROFILE": "verify", "API_TIMEOUT_S": str(TIMEOUT_S)}))
    try:
        loop.run_until_complete(timeout(scope, receive, send))
    except ApiError as error:
        return error.code
    finally:
        loop.close()
    return "done"


@given(WAITS, st.integers(0, 40))
def test_the_body_and_the_work_have_a_bound_each(pieces_s: list[int], work_s: int) -> None:
    """A body that is not whole in time is its sender's fault, work that is not done in time after it is ours."""
    if sum(pieces_s) != TIMEOUT_S and work_s != TIMEOUT_S:
        late = "REQUEST_TIMEOUT" if sum(pieces_s) > TIMEOUT_S else "TIMEOUT" if work_s > TIMEOUT_S else "done"
        assert answered(pieces_s, work_s) == late


@given(WAITS, st.integers(0, 400))
def test_an_answer_that_has_begun_is_not_bounded(pieces_s: list[int], work_s: int) -> None:
    """A stream goes on for as long as it does, whatever its client still sends."""
    assert answered(pieces_s, work_s, begun_first=True) == "done"
