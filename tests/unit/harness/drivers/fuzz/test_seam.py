"""What of a request of Schemathesis reaches the wire, and as whom."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.clock import SystemClock
from harness.contract import Contract
from harness.drivers.fuzz.call import mark
from harness.drivers.fuzz.callers import Callers
from harness.drivers.fuzz.seam import UNSENT, Seam
from harness.exchange import ENDLESS, Exchange, Request, Response
from harness.identities import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.recorder import Recorder

NOW, LATER = "Tue, 20 Oct 2026 12:00:00 GMT", "Tue, 20 Oct 2026 12:01:00 GMT"
TENANT = ("X-Tenant", "alpha")
NOBODY = Identity("anonymous", tenant="alpha", headers=(TENANT,))
USER = Identity("user", ("user",), "alpha", headers=(("Authorization", "Bearer real"), TENANT))


@dataclass
class Wire:
    """Answers what it is told to, and keeps what was sent."""

    answers: list[Response | None]
    sent: list[Request] = field(default_factory=list)
    error: str = "connection closed without an answer"

    def allows(self, _method: str) -> bool:
        """Everything may be sent."""
        return True

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One exchange."""
        self.sent.append(request)
        response = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        now = time.monotonic_ns()
        return Exchange(f"x-{len(self.sent)}", request, response, now, now, now, case=case, error=self.error)


def _seam(contract: Contract, wire: Wire, sleep: Callable[[float], None] = lambda _: None, **more: Any) -> Seam:
    callers = Callers(USER, SystemClock(), anonymous=NOBODY, **more)
    return Seam(contract, cast("Recorder", wire), callers, name="user", budget_s=5.0, clock=SystemClock(), sleep=sleep)


def _called(seam: Seam, line: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, dict[bytes, bytes], bytes]:
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    asyncio.run(seam(scope, receive, send))
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


def test_the_marks_become_the_identity(contract: Contract) -> None:
    """A request with all marks goes out as the identity; the case's own header and the connection's stay behind."""
    wire = Wire([Response(200, (("Content-Encoding", "gzip"), ("X-A", "b")), b"[]")])
    seam = _seam(contract, wire)
    sent = {**seam.marks, "X-Schemathesis-TestCaseId": "c1", "Host": "target", "X-Client": "web"}
    assert _called(seam, "GET /items?limit=5&limit=&%C3%A4=1", sent) == (200, {b"X-A": b"b"}, b"[]")
    assert wire.sent[0].identity == USER
    assert wire.sent[0].headers == (("x-client", "web"),)
    assert wire.sent[0].query == (("limit", "5"), ("limit", ""), ("ä", "1"))
    assert (wire.sent[0].operation, wire.sent[0].body, seam.by_case["c1"].id) == ("items.list", None, "x-1")


def test_a_credential_left_off_stays_off(contract: Contract) -> None:
    """A probe without the credential goes out as nobody in the same tenant."""
    wire = Wire([Response(401)])
    seam = _seam(contract, wire)
    _called(seam, "GET /items", {"X-Tenant": seam.marks["X-Tenant"]})
    assert (wire.sent[0].identity, wire.sent[0].headers) == (NOBODY, ())


def test_a_made_up_credential_goes_as_it_is(contract: Contract) -> None:
    """A wrong token is the request's own header, with the tenant beside it."""
    wire = Wire([Response(401)])
    seam = _seam(contract, wire)
    _called(seam, "GET /items", {"X-Tenant": seam.marks["X-Tenant"], "Authorization": "Bearer wrong"})
    assert wire.sent[0].identity == Identity("anonymous", tenant="alpha")
    assert wire.sent[0].headers == (TENANT, ("authorization", "Bearer wrong"))


def test_only_codings_that_are_read_here_are_asked_for(contract: Contract) -> None:
    """What Schemathesis' own client could read is no promise that the wire can."""
    wire = Wire([Response(200, (), b"[]")])
    seam = _seam(contract, wire)
    _called(seam, "GET /items", {**seam.marks, "Accept-Encoding": "gzip, deflate, br, zstd"})
    assert wire.sent[0].headers == (("accept-encoding", "gzip, deflate"),)


def test_what_gets_no_answer_does_not_stop_the_fuzzing(contract: Contract) -> None:
    """A request that the wire refuses is answered in the target's place, kept as unanswered and never counted."""
    wire = Wire([None], error="cannot be sent: illegal header value")
    seam = _seam(contract, wire)
    statuses = {_called(seam, "GET /items", seam.marks)[0] for _ in range(8)}
    assert (statuses, seam.stopped, seam.counts.examined.total()) == ({503}, "", 0)


def test_a_silent_target_is_left(contract: Contract) -> None:
    """After three requests without an answer nothing more is sent, and the reason is told."""
    wire = Wire([None])
    seam = _seam(contract, wire)
    for _ in range(6):
        _called(seam, "GET /items", seam.marks)
    assert (len(wire.sent), "none of 3" in seam.stopped) == (3, True)


def test_a_429_is_not_shown_to_schemathesis_as_an_answer(contract: Contract) -> None:
    """Where the wait is longer than the operation's share, the case is not sent on and nothing is kept of it."""
    wire = Wire([Response(429, (("Retry-After", "60"),))])
    seam = _seam(contract, wire)
    status, headers, _ = _called(seam, "GET /items", {**seam.marks, "X-Schemathesis-TestCaseId": "c1"})
    assert (status, headers[b"X-Harness"], seam.by_case, seam.counts.paced) == (429, b"not sent", {}, 1)
    _called(seam, "GET /items", seam.marks)
    assert len(wire.sent) == 1


@pytest.mark.parametrize("told", ["²", LATER])
def test_a_429_that_tells_no_seconds_is_read_as_everywhere(contract: Contract, told: str) -> None:
    """What is no number of seconds ends nothing, and a date is waited for as seconds are."""
    wire = Wire([Response(429, (("Retry-After", told), ("Date", NOW))), Response(200, (), b"[]")])
    slept: list[float] = []
    seam = _seam(contract, wire, sleep=slept.append)
    assert _called(seam, "GET /items", seam.marks)[0] == UNSENT.status
    assert [round(wait_s, 1) for wait_s in slept] == ([] if told == LATER else [1.0])


def test_a_401_to_one_that_worked_renews_it_once(contract: Contract) -> None:
    """The request is sent again as the renewed one; an operation that means something else by 401 is believed then."""
    wire = Wire([Response(200), Response(401), Response(401), Response(401)])
    fresh = Identity("user", ("user",), "alpha", headers=(("Authorization", "Bearer new"), TENANT))
    seam = _seam(contract, wire, renew=lambda _: fresh)
    assert [_called(seam, "GET /items", seam.marks)[0] for _ in range(3)] == [200, 401, 401]
    assert [dict(request.identity.headers)["Authorization"] for request in wire.sent] == [
        "Bearer real", "Bearer real", "Bearer new", "Bearer new",
    ]  # fmt: skip


def test_a_mark_has_the_form_of_what_it_stands_for() -> None:
    """Schemes and the names of cookies are kept, since checks look at them; secrets are not."""
    assert mark("Authorization", "Bearer s3cret") == "Bearer harness-identity"
    assert mark("Cookie", "sid=s3cret; theme=dark") == "sid=harness-identity; theme=harness-identity"
    assert mark("X-API-Key", "s3cret") == "harness-identity"


def test_an_operation_that_answers_without_end_is_sent_once(contract: Contract) -> None:
    """A stream costs one time-out, is not sent again, and is no sign that the target is gone."""
    wire = Wire([None], error=f"{ENDLESS} in 10 s")
    seam = _seam(contract, wire)
    statuses = [_called(seam, "GET /items", seam.marks)[0] for _ in range(8)]
    assert (statuses, len(wire.sent), seam.stopped, seam.endless) == ([503, *[429] * 7], 1, "", {"items.list"})


def test_what_an_overlay_took_out_is_not_sent(contract: Contract) -> None:
    """Schemathesis tries methods that a path does not have; one that was removed is not one of them."""
    wire = Wire([Response(200)])
    kept = Contract({**contract.document, "x-harness-removed": [["DELETE", "/items"]]}, base_path=contract.base_path)
    seam = _seam(kept, wire)
    assert _called(seam, f"DELETE {contract.base_path}/items", seam.marks)[1][b"X-Harness"] == b"not sent"
    assert wire.sent == []
