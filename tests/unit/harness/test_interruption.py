"""Signals: the first is an interruption, what follows at once is the same one, and winding up is not disturbed."""

from __future__ import annotations

import os
import signal
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


@pytest.mark.parametrize("sign", interruption.SIGNALS)
def test_each_signal_is_an_interruption(sign: signal.Signals) -> None:
    """Ctrl-C, a request to end and a terminal that hung up raise KeyboardInterrupt."""
    interruption.listen()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), sign)


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
