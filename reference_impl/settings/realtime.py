"""Streams and sockets: heartbeats, silence, sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_impl.settings.reader import everywhere, usually

if TYPE_CHECKING:
    from reference_impl.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Realtime:
    """Seconds and bytes of SSE streams and WebSockets."""

    heartbeat_s: float
    """How often a quiet stream says something, and for how long one waits for a reader who takes nothing."""
    silence_s: float
    """A WebSocket from which nothing came for so long is closed."""
    message_limit_bytes: int
    poll_s: float
    """How often the events table is asked while no nudge comes."""
    waiting: int
    """How many events or frames may wait for a slow reader before it is let go."""
    waiting_bytes: int
    """How much may wait for a WebSocket that is slow, beside its first frame."""
    stream_quota: int
    socket_quota: int
    """How many streams and how many sockets a user, or an address without one, may have open with one worker."""
    room_quota: int
    """How many rooms a socket may be in."""


def realtime(reader: Reader) -> Realtime:
    """Read the section."""
    return Realtime(
        heartbeat_s=reader.seconds("API_HEARTBEAT_S", usually(15.0, verify=1.0)),
        silence_s=reader.seconds("API_SILENCE_S", usually(60.0, verify=4.0)),
        message_limit_bytes=reader.whole("API_MESSAGE_LIMIT_BYTES", 256, 16_777_216, everywhere(65_536)),
        poll_s=reader.seconds("API_POLL_S", everywhere(1.0)),
        waiting=reader.whole("API_WAITING", 16, 100_000, everywhere(1000)),
        waiting_bytes=reader.whole("API_WAITING_BYTES", 1024, 1_073_741_824, everywhere(1_048_576)),
        stream_quota=reader.whole("API_STREAM_QUOTA", 1, 10_000, usually(10, verify=100)),
        socket_quota=reader.whole("API_SOCKET_QUOTA", 1, 10_000, usually(10, verify=100)),
        room_quota=reader.whole("API_ROOM_QUOTA", 1, 1000, everywhere(20)),
    )
