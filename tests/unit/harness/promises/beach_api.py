"""An API in memory whose lists keep their promises, and with a named defect break one: pebbles that lie in boxes."""

from __future__ import annotations

import itertools
import json
import re
import zlib
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.stage import Stage
from harness.verdict import Verdict
from tests.unit.harness.promises.beach_document import PETS, document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.promises.promise import Promise

OPERATIONS = {name: own for own, name in PETS.items()}
KEYS = {"weight": "weight", "at": "at", "name": "name"}


class Refused(Exception):
    """A request's end with a status of its own."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


@dataclass
class Beach:
    """The API, with defects by name; `style` is how its list is paged, `others` how much lay there before.

    `fault(request)` is what befalls a request: `lost` (done, the answer is lost), 429 or 503. `meanwhile` is called
    before each page of the list.
    """

    defects: frozenset[str] = frozenset()
    style: str = "page"
    others: int = 0
    fault: Callable[[Request], str | int] = lambda _request: ""
    meanwhile: Callable[[Beach], None] = lambda _beach: None
    told: Any = None
    most: int = 6
    default: int = 4
    pebbles: list[dict[str, Any]] = field(default_factory=list)
    boxes: dict[str, str] = field(default_factory=dict)
    gone: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    photos: dict[str, str] = field(default_factory=dict)
    indexed: dict[str, str] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    random: Random = field(default_factory=lambda: Random(1))

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told or document(self.style), "beach")
        for number in range(self.others):
            self.add({"name": f"other {number}", "weight": number % 7, "boxId": "b0"})

    def has(self, defect: str) -> bool:
        """Whether the API has the defect."""
        return defect in self.defects

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        """A pebble more; two each share a time."""
        number = len(self.pebbles)
        pebble = {
            "id": f"p{next(self.numbers):03}", "name": body["name"], "weight": body.get("weight", 1),
            "colour": body.get("colour", "grey"), "box": {"id": body["boxId"]},
            "at": f"2026-01-01T00:{number // 120:02}:{number // 2 % 60:02}Z",
        }  # fmt: skip
        self.pebbles.append(pebble)
        return pebble

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        fault = self.fault(request)
        answer: Response | None
        if fault in {429, 503}:
            answer = Response(int(fault))
        else:
            try:
                status, body, headers = self._answer(request)
                answer = Response(status, headers, b"" if body is None else json.dumps(body).encode())
            except Refused as refused:
                answer = Response(refused.status)
        answer = None if fault == "lost" else answer
        return Exchange(f"x{next(self.numbers)}", request, answer, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any, tuple[tuple[str, str], ...]]:
        body, query, name = request.json() or {}, dict(request.query), request.operation
        name = OPERATIONS.get(name, name)
        if name == "pebbles.list":
            self.meanwhile(self)
            return self._page(query)
        return (*self._done(name, request.path.strip("/").split("/"), body), ())

    def _done(self, name: str, parts: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        if not name:
            return (200, None) if "/".join(parts) in self.photos else (404, None)
        if name == "stats":
            return 200, {"pebbles": len(self.pebbles) + (len(self.gone) if self.has("counts deleted") else 0)}
        if name == "pebbles.create":
            if body["boxId"] not in self.boxes and not self.has("deleted boxes are used"):
                raise Refused(400)
            return 201, self.add(body)
        if name.startswith("boxes."):
            return self._box(name, parts, body)
        if name == "marks.get":
            if self.marks.get(parts[1]) not in {pebble["id"] for pebble in self.pebbles} and not self.has("marks stay"):
                raise Refused(404)
            return 200, {"id": parts[1], "pebbleId": self.marks[parts[1]]}
        return self._pebble(name, parts[1], body)

    def _pebble(self, name: str, key: str, body: dict[str, Any]) -> tuple[int, Any]:
        found = next((pebble for pebble in self.pebbles if pebble["id"] == key), None)
        if name == "pebbles.restore":
            if key not in self.gone:
                raise Refused(404)
            if not self.has("restores nothing"):
                self.pebbles.append(self.gone.pop(key))
            return 200, None
        defect = {
            "pebbles.get": "reads",
            "pebbles.update": "changes",
            "marks.create": "marks",
            "pebbles.photo": "marks",
            "pebbles.delete": "deletes",
        }
        if found is None and key in self.gone and self.has(f"{defect[name]} deleted"):
            found = self.gone[key]
        if found is None:
            raise Refused(410 if self.has("gone is 410") else 404)
        if name == "pebbles.delete":
            return self._deleted(key, found)
        if name == "pebbles.photo":
            self.photos |= {(url := f"photos/{next(self.numbers)}"): key}
            return 201, {"id": key, "photos": [{"url": f"/{url}"}]}
        if name == "marks.create":
            self.marks[mark := f"m{next(self.numbers)}"] = key
            return 201, {"id": mark, "pebbleId": key}
        if name == "pebbles.update":
            self.indexed.setdefault(key, found["name"])
            found.update(body)
        return 200, found

    def _deleted(self, key: str, found: dict[str, Any]) -> tuple[int, Any]:
        self.gone[key] = found
        self.pebbles = [pebble for pebble in self.pebbles if pebble["id"] != key]
        if not self.has("photos stay"):
            self.photos = {url: own for url, own in self.photos.items() if own != key}
        return 204, None

    def _box(self, name: str, parts: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        if name == "boxes.create":
            if body["label"] in self.boxes.values() and not self.has("labels repeat"):
                raise Refused(409)
            key = f"b{next(self.numbers)}"
            self.boxes[key] = body["label"]
            return 201, {"id": key, **body}
        key = parts[1]
        if key not in self.boxes:
            raise Refused(404)
        if name == "boxes.get":
            return 200, {"id": key, "label": self.boxes[key]}
        if any(pebble["box"]["id"] == key for pebble in self.pebbles) and not self.has("used boxes go"):
            if self.has("refuses and acts"):
                self.boxes[key] += " touched"
            raise Refused(422 if self.has("refuses with 422") else 409)
        label = self.boxes.pop(key)
        if self.has("labels stay taken"):
            self.boxes[f"x{key}"] = label
        return 204, None

    def _page(self, query: dict[str, str]) -> tuple[int, Any, tuple[tuple[str, str], ...]]:
        size = self._number(query, "limit", self.default)
        found = self._sorted(self._filtered(query), query)
        start = self._start(query, found, size)
        whole = found if self.has("endless") and size < 0 else found[start : start + size]
        whole = found[: start + size] if self.has("pages grow") else whole
        if self.has("sorts each page"):
            whole = self._sorted(self._sorted(self._filtered(query), {})[start : start + size], query)
        if self.has("gives one more") and size > 2:
            whole = found[start : start + size + 1]
        if self.has("past 404") and not whole:
            raise Refused(404)
        total = len(self.pebbles) if self.has("total unfiltered") else len(found)
        total = len(whole) if self.has("total of the page") else total
        pages = total // max(1, size) if self.has("pages floored") else -(-total // max(1, size))
        answer: dict[str, Any] = {"items": whole, "total": total, "pages": pages}
        more = start + size < len(found)
        if self.style == "cursor":
            answer = {"items": whole, "next": whole[-1]["id"] if more and whole else None}
        rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "cursor")
        link = f'<http://127.0.0.1/pebbles?{rest}&cursor={whole[-1]["id"]}>; rel="next"' if more and whole else ""
        if self.style == "link":
            return 200, whole, (("Link", link),) if link else ()
        return 200, answer, ()

    def _number(self, query: dict[str, str], name: str, default: int, least: int = 1) -> int:
        text = query.get(name, "")
        if name not in query:
            return len(self.pebbles) + 1 if self.has("no default") and name == "limit" else default
        if not text.lstrip("-").isdigit():
            if self.has("text 500"):
                raise Refused(500)
            if self.has("text taken"):
                return default
            raise Refused(400)
        if int(text) < least and not self.has("low taken") and not self.has("endless"):
            raise Refused(400)
        if name == "limit" and int(text) > self.most:
            if not self.has("uncapped") and not self.has("capped"):
                raise Refused(400)
            return self.most if self.has("capped") else int(text)
        return int(text)

    def _start(self, query: dict[str, str], found: list[dict[str, Any]], size: int) -> int:
        if self.style == "page":
            number = self._number(query, "page", 1) - (0 if self.has("second page first") else 1)
            start = max(0, number) * size
        elif self.style == "offset":
            start = max(0, self._number(query, "offset", 0, 0))
        else:
            names = [pebble["id"] for pebble in found]
            start = names.index(query["cursor"]) + 1 if query.get("cursor") in names else 0
        if start and self.has("skips one"):
            return start + 1
        if start and self.has("overlaps"):
            return start - 1
        made = len(self.pebbles) - self.others
        return start + made % 5 * 2 if start and self.has("inserts lose") else start

    def _words(self, pebble: dict[str, Any]) -> str:
        """What a search looks at: the name, or the one that a pebble first had."""
        return str(self.indexed.get(pebble["id"], pebble["name"]) if self.has("index stays") else pebble["name"])

    def _filtered(self, query: dict[str, str]) -> list[dict[str, Any]]:
        found = [] if self.has("unlisted") else list(self.pebbles)
        found += list(self.gone.values()) if self.has("lists deleted") else []
        found += list(self.gone.values()) if self.has("searches deleted") and "search" in query else []
        if self.has("ignores filters"):
            return found
        if "box" in query:
            found = [pebble for pebble in found if pebble["box"]["id"] == query["box"]] or (
                found if self.has("unknown is all") else []
            )
        if query.get("search"):
            found = [pebble for pebble in found if self._searched(self._words(pebble), query["search"])]
        least, most = float(query.get("minWeight", "-inf")), float(query.get("maxWeight", "inf"))
        if self.has("compares as text"):
            low, high = query.get("minWeight", ""), query.get("maxWeight", "~")
            return [pebble for pebble in found if low <= str(pebble["weight"]) <= high]
        if self.has("min excludes") and "minWeight" in query:
            least += 0.5
        found = [pebble for pebble in found if least <= pebble["weight"] <= most]
        if "colours" in query:
            wanted = query["colours"].split(",")[: 1 if self.has("first of many") else None]
            found = [pebble for pebble in found if pebble["colour"] in wanted]
        if self.has("filters are or") and {"box", "search"} <= set(query):
            found = [
                pebble
                for pebble in self.pebbles
                if pebble["box"]["id"] == query["box"] or self._searched(pebble["name"], query["search"])
            ]
        return found

    def _searched(self, name: str, wanted: str) -> bool:
        if self.has("quote refused") and "'" in wanted:
            raise Refused(400)
        if self.has("case counts"):
            return wanted in name
        if self.has("wildcards"):
            pattern = re.escape(wanted.casefold()).replace("%", ".*").replace("_", ".")
            return re.search(pattern, name.casefold()) is not None
        if self.has("begins"):
            return name.casefold().startswith(wanted.casefold())
        return wanted.casefold() in name.casefold()

    def _sorted(self, found: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        key, direction = query.get("sort", "at"), query.get("order", "desc")
        if key not in KEYS or direction not in {"asc", "desc"}:
            if not self.has("any sort"):
                raise Refused(400)
            key = "at"
        ordered = list(found)
        if self.has("ties shuffled"):
            self.random.shuffle(ordered)
        ordered.sort(
            key=lambda pebble: (
                str(pebble[key]) if self.has("sorts as text") else pebble[key],
                "" if self.has("ties shuffled") else pebble["id"],
            )
        )
        up = direction == "asc" and not self.has("always down")
        return ordered if up or self.has("oldest first") else ordered[::-1]


def examined(promise: Promise, beach: Beach, *, only: str = "", seed: int = 1, name: str = "pebbles.list") -> Verdict:
    """The merged verdict of a promise's cases on an operation, each judged from what a history would keep of it."""
    operation = next(item for item in beach.contract.operations if OPERATIONS.get(item.id, item.id) == name)
    assert promise.cases is not None
    findings, reasons, count = {}, [], 0
    for case in promise.cases(beach.contract, operation, Random(seed)):
        if only and not case.name.startswith(only):
            continue
        stage = Stage(beach.contract, Actors({}), Random(seed), f"n{seed}{zlib.crc32(case.name.encode()):08x}")
        driven = drive(case, stage, beach, sleep=lambda _seconds: None)
        kept = [Exchange.from_record(exchange.to_record()) for exchange in driven.exchanges]
        assert promise.judge is not None
        verdict = promise.judge(beach.contract, operation, kept)
        findings |= {(finding.code, finding.kind): finding for finding in verdict.findings}
        reasons += list(filter(None, (driven.reason, verdict.reason)))
        count += verdict.examined
    return Verdict(promise.key, operation.id, count, tuple(findings.values()), "; ".join(reasons))


def faults(verdict: Verdict) -> set[str]:
    """The codes of a verdict's findings."""
    return {finding.code for finding in verdict.findings}
