"""Signals: the first is an interruption, what follows at once is the same one, and winding up is not disturbed."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from harness import interruption

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Puts the handlers back."""
    before = {sign: signal.getsignal(sign) for sign in interruption.SIGNALS}
    yield
    for sign, handler in before.items():
        signal.signal(sign, handler)
    logging.getLogger("asyncio").disabled = False


@pytest.mark.parametrize("sign", interruption.SIGNALS)
def test_each_signal_is_an_interruption(sign: signal.Signals) -> None:
    """Ctrl-C, a request to end and a terminal that hung up raise KeyboardInterrupt."""
    interruption.listen()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), sign)


class Finalized:
    """Interrupts while it is finalized, where Python would show a traceback and go on."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_one_that_falls_into_a_finalizer_comes_again() -> None:
    """It is raised a moment later, and nothing is raised in the finalizer itself."""
    interruption.listen()
    held = [Finalized()]
    held.clear()
    with pytest.raises(KeyboardInterrupt):
        threading.Event().wait(10)


def test_impatience_is_passed_over() -> None:
    """A second signal right after the first raises nothing."""
    interruption.listen()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)


def test_winding_up_is_not_disturbed() -> None:
    """Signals in the block change nothing; after it they are heard again."""
    interruption.listen()
    with interruption.passed_over():
        for sign in interruption.SIGNALS:
            os.kill(os.getpid(), sign)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


IN_A_LOOP = """
import asyncio, os, signal
from harness import interruption

async def connect():
    os.kill(os.getpid(), signal.SIGINT)

async def main():
    waits = asyncio.ensure_future(connect()), asyncio.ensure_future(asyncio.sleep(60))
    await asyncio.gather(*waits)

interruption.listen()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


def test_what_it_cuts_in_an_event_loop_is_not_told() -> None:
    """Tasks that an interruption cut leave no traceback on the terminal."""
    done = subprocess.run([sys.executable, "-c", IN_A_LOOP], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
