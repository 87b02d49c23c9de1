"""Work for a few threads: it waits for one no longer than it may, and knows whether its caller has gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from reference_impl.data.cancelled import cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


class BusyError(Exception):
    """No thread was free in time; nothing of the work was begun, nor will be."""


@dataclass(slots=True)
class Lease:
    """What became of one who asked: refused as no thread was free, or gone before it was answered."""

    refused: bool = False
    gone: bool = False


async def lent(threads: ThreadPoolExecutor, work: Callable[[Lease], T], wait_s: float) -> T:
    """Return what `work` returns on one of the threads; BusyError when it is not begun within `wait_s`."""
    lease = Lease()
    queued = threads.submit(work, lease)

    def refuse() -> None:
        lease.refused = queued.cancel()  # False once a thread has it

    late = asyncio.get_running_loop().call_later(wait_s, refuse)
    try:
        return await asyncio.wrap_future(queued)
    except asyncio.CancelledError:
        if not lease.refused or cancelled():
            lease.gone = True
            raise
    finally:
        late.cancel()
    raise BusyError
