"""An API in memory that takes pictures within bounds; with a named fault it takes others, or keeps what they took."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.broken_files import data
from harness.promises.upload import PROMISE
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.verdict import Verdict

BOUNDS = {"max_pixels": 40_000, "max_side": 300, "max_bytes": 100_000, "whole": True}
PLACES, LEAST_SIDE = 16, 64
ADD = "pets.addPicture"
JOINING = {
    "register": {"operation": "join", "body": {"name": "{name}"}},
    "login": {"operation": "join", "body": {"name": "{name}"}, "token": "/token"},
}


def document(
    bounds: Any = BOUNDS, *, quota: int = 0, types: str = "image/png", secured: bool = False
) -> dict[str, Any]:
    """Pictures of pets that anyone adds, or whoever has joined; with a quota for each caller."""
    limit = {"name": "add", "quota": quota, "window_s": 60, "scope": ["user"], "algorithm": "fixed"}
    promises = {**({"upload": bounds} if bounds else {}), **({"rate-limit": [limit]} if quota else {})}
    picture = {"type": "object", "required": ["image"], "properties": {"image": {"type": "string", "format": "binary"}}}
    form = {"multipart/form-data": {"schema": picture, "encoding": {"image": {"contentType": types}}}}
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    answers = {str(status): {"description": ""} for status in (201, 400)}
    join = {"content": {"application/json": {"schema": named}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "pets", "version": "1"},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/join": {"post": {"operationId": "join", "requestBody": join, "responses": answers}},
            "/pets/pictures": {
                "post": {
                    "operationId": ADD,
                    "requestBody": {"required": True, "content": form},
                    "responses": answers,
                    **({"security": [{"token": []}]} if secured else {}),
                    **({"x-promises": promises} if promises else {}),
                }
            },
        },
    }


@dataclass
class Gallery:
    """The API. `fault` is what is wrong with it, or in what it is unlike others and right."""

    fault: str = ""
    told: dict[str, Any] = field(default_factory=document)
    bounds: dict[str, Any] = field(default_factory=lambda: BOUNDS)
    registers: bool = False
    refused: int = 0
    sent: list[Exchange] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    last: bytes = b""

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "pets")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        response = self._answer(request)
        late = "timed out" if response is None else ""
        number = next(self.numbers)
        self.sent.append(Exchange(f"x{number}", request, response, 0, 0, 0, case=case, error=late))
        return self.sent[-1]

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> Response | None:
        if request.path == "/join":
            return Response(201, (("Content-Type", "application/json"),), b'{"id": "7", "token": "t"}')
        if self._spoilt(request):
            return self._failed()
        file = data(request) or b""
        if self.fault != "any length" and self._long(file):
            self.refused += 1
            return Response(400 if self.fault == "fears chunks" else 413)
        taken = self.fault == "looks at nothing" or self._fits(file)
        self.refused += not taken
        self.last = (request.body or b"") if taken else self.last
        return Response(201 if taken else 400)

    def _long(self, file: bytes) -> bool:
        """Whether the file has too many bytes, or what made it long is not taken."""
        most = self.bounds.get("max_bytes", len(file))
        if self.fault == "fears chunks":
            return b"paDd" in file
        return len(file) >= most if self.fault == "off by one" and "max_bytes" in self.bounds else len(file) > most

    def _spoilt(self, request: Request) -> bool:
        full = self.refused >= PLACES and self.fault in {"keeps", "hangs", "waits", "locks", "stumbles"}
        return self.fault == "down" or full or (self.fault == "twice" and self.last == request.body)

    def _failed(self) -> Response | None:
        if self.fault == "stumbles":
            self.refused = 0
        if self.fault == "hangs":
            return None
        longer = {"keeps": (("Retry-After", "1"),), "waits": (("Retry-After", "600"),)}
        return Response({"locks": 403, "twice": 500, "stumbles": 500}.get(self.fault, 503), longer.get(self.fault, ()))

    def _fits(self, file: bytes) -> bool:
        if not file.startswith(b"\x89PNG") or len(file) < 33:
            return self.fault == "any bytes"
        if self.fault == "refuses all":
            return False
        wide, high = int.from_bytes(file[16:20]), int.from_bytes(file[20:24])
        if self.fault == "refuses small" and min(wide, high) < LEAST_SIDE:
            return False
        if wide * high > self.bounds.get("max_pixels", wide * high) and self.fault != "any pixels":
            return False
        if max(wide, high) > self.bounds.get("max_side", max(wide, high)) and self.fault != "any side":
            return False
        ended = file.endswith(b"IEND" + zlib.crc32(b"IEND").to_bytes(4))
        return self.fault == "half" or (ended and _rows(file) == high)


def _rows(file: bytes) -> int:
    """How many rows the file holds, as another reader counts them."""
    wide, bits = int.from_bytes(file[16:20]), file[24]
    size = int.from_bytes(file[33:37])
    try:
        return len(zlib.decompress(file[41 : 41 + size])) // (1 + -(-wide * bits // 8))
    except zlib.error:
        return -1


def examined(api: Gallery, *, again: bool = False) -> dict[str, Verdict]:
    """The verdict of each case of the operation that takes pictures, by the case's name."""
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    operation, found = api.contract.by_id[ADD], {}
    for case in PROMISE.cases(api.contract, operation, Random(1)):
        actors = Actors(JOINING if api.registers else {}, {})
        stage = Stage(api.contract, actors, Random(1), f"n{next(api.numbers)}", again=again)
        done = drive(case, stage, api, sleep=lambda _seconds: None)
        verdict = PROMISE.judge(api.contract, operation, done.exchanges)
        found[case.name] = replace(verdict, reason="; ".join(filter(None, (done.reason, verdict.reason))))
    return found
