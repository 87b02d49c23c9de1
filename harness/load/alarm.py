"""Wakes a greenlet at an instant of the monotonic clock.

gevent's own timers are rounded to the millisecond of epoll and counted from a cached now: they wake about 0.65 ms late.
A timerfd (Linux) is a descriptor that the kernel makes readable at the instant; it wakes about 0.06 ms late. Python has
it from 3.13 on; before that it is called in the C library. Elsewhere the last two milliseconds are waited out in steps.
"""

from __future__ import annotations

import ctypes
import os
import sys
from time import CLOCK_MONOTONIC, monotonic_ns
from typing import Protocol

import gevent  # type: ignore[import-untyped] # gevent ships no types

NS_PER_S = 1_000_000_000
TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
TFD_TIMER_ABSTIME = 1
COARSE_NS = 2_000_000
EXPIRATIONS_BYTES = 8


class Alarm(Protocol):
    """Waits for instants, one at a time, in one greenlet."""

    def wait_until(self, instant_ns: int) -> None:
        """Returns at that instant of the monotonic clock or as soon after as it can; at once where it is past."""
        ...

    def close(self) -> None:
        """Gives back what it holds."""
        ...


class KernelAlarm:
    """By a timerfd, whose watcher is kept."""

    def __init__(self) -> None:
        self._descriptor = _create()
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(self._descriptor, 1)

    def wait_until(self, instant_ns: int) -> None:
        """Returns at that instant, or at once where it is past."""
        if monotonic_ns() >= instant_ns:
            return
        _set(self._descriptor, instant_ns)
        self._hub.wait(self._watcher)
        os.read(self._descriptor, EXPIRATIONS_BYTES)

    def close(self) -> None:
        """Closes the descriptor; a second close does nothing."""
        if self._descriptor >= 0:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._descriptor)
            self._descriptor = -1


class SteppingAlarm:
    """Without a timerfd: gevent's timer for most of it, then one turn of the loop after another."""

    def wait_until(self, instant_ns: int) -> None:
        """Returns at that instant, or at once where it is past."""
        rest_ns = instant_ns - monotonic_ns() - COARSE_NS
        if rest_ns > 0:
            gevent.sleep(rest_ns / NS_PER_S)
        while monotonic_ns() < instant_ns:
            gevent.sleep(0)

    def close(self) -> None:
        """Holds nothing."""


def alarm() -> Alarm:
    """The best alarm that this system has."""
    return KernelAlarm() if sys.platform == "linux" else SteppingAlarm()


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSetting(ctypes.Structure):
    _fields_ = (("interval", _Time), ("value", _Time))


if sys.version_info >= (3, 13):

    def _create() -> int:
        return os.timerfd_create(CLOCK_MONOTONIC, flags=TFD_NONBLOCK_CLOEXEC)

    def _set(descriptor: int, instant_ns: int) -> None:
        os.timerfd_settime_ns(descriptor, flags=TFD_TIMER_ABSTIME, initial=instant_ns)

else:
    _C = ctypes.CDLL(None, use_errno=True)

    def _create() -> int:
        descriptor = int(_C.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK_CLOEXEC))
        if descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        return descriptor

    def _set(descriptor: int, instant_ns: int) -> None:
        setting = _TimerSetting(_Time(0, 0), _Time(*divmod(instant_ns, NS_PER_S)))
        if _C.timerfd_settime(descriptor, TFD_TIMER_ABSTIME, ctypes.byref(setting), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
