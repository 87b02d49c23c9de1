"""Defects that show where the server's clock is told in another zone than UTC: T01."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.endpoint import limit_headers

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.stores.limits import Decision

WEST = "T"


def reset_read_as_local(decision: Decision) -> list[tuple[bytes, bytes]]:
    """T01: take the instant apart in UTC and put it together in local time."""
    headers = []
    for name, value in limit_headers(decision):
        told = value
        if name == b"x-ratelimit-reset":
            told = str(int(time.mktime((*time.gmtime(int(value))[:8], -1)))).encode()
        headers.append((name, told))
    return headers


def plant_local_reset(parts: Parts) -> Parts:
    """T01: use the header that is off by the zone."""
    return replace(parts, limit_headers=reset_read_as_local)


DEFECTS = (
    Defect(
        id="T01",
        title="X-RateLimit-Reset is UTC read as local time",
        codes=("rate-limit.headers-untrue",),
        operations=EVERY_OPERATION,
        plant=plant_local_reset,
        profile=WEST,
    ),
)
