"""Where Schemathesis's requests meet the recorder: an ASGI application in place of the target.

It blocks its event loop while it sends: one worker sends one request at a time, so nothing else waits for that loop,
and a hop to a thread more would only cost each request time.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.case import wait_of
from harness.drivers.fuzz.call import Call, mark, read
from harness.exchange import Exchange, Outcome, Request, Response
from harness.wire import CODINGS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.clock import Clock
    from harness.contract import Contract
    from harness.drivers.fuzz.callers import Callers
    from harness.drivers.fuzz.pool import Pool
    from harness.identities import Identity
    from harness.recorder import Recorder

NOT_PASSED_BACK = {"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"}
PROBE = "probe"
NS_PER_S = 1_000_000_000
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
MAX_ATTEMPTS = 6
MAX_TIMEOUT_S = 10.0
MIN_TIMEOUT_S = 0.25
MAX_WAIT_SHARE = 0.05
MAX_UNANSWERED = 3
MAX_FORBIDDEN = 8
MAX_UNAUTHORISED = 4
MAX_KEPT = 64
UNSENT = Response(TOO_MANY, (("Content-Type", "text/plain"), ("X-Harness", "not sent")))
UNANSWERED = Response(503, (("Content-Type", "text/plain"), ("X-Harness", "no answer")))


@dataclass(slots=True)
class Counts:
    """What passed the seam: answers an operation, time an operation in ns, waits for quotas, requests not sent."""

    examined: Counter[str] = field(default_factory=Counter)
    spent_ns: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    paced: int = 0
    unsent: int = 0


class Seam:
    """One pass's way to the target. `stopped` says why it sends no more; it is empty while it does.

    Requests go out as the identity that `callers` picks: Schemathesis is given marks in place of credentials and never
    holds one. What it leaves off (to see whether the API asks for it) stays off, what it makes up goes as it is.
    """

    def __init__(  # noqa: PLR0913 - what a pass needs, most of it by name
        self,
        contract: Contract,
        recorder: Recorder,
        callers: Callers,
        *,
        name: str,
        pool: Pool | None = None,
        budget_s: float,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.counts = Counts()
        self.stopped = ""
        self.steps: dict[str, str] = {}
        self.by_case: dict[str, Exchange] = {}
        self.accepted: dict[str, list[Exchange]] = defaultdict(list)
        self.unauthorised = 0
        self.worked: set[str] = set()
        self._contract, self._recorder, self._callers, self._clock, self._sleep = (
            contract, recorder, callers, clock, sleep,
        )  # fmt: skip
        self._case = f"fuzz/{name}"
        self._pool = pool
        self._deadline_ns = clock.now_ns() + int(budget_s * NS_PER_S)
        self._timeout_s = min(MAX_TIMEOUT_S, max(1.0, budget_s / 10))
        self._wait_s: dict[str, float] = defaultdict(float)
        self._max_wait_s = max(1.0, budget_s * MAX_WAIT_SHARE)
        self._marks = {header.lower(): mark(header, value) for header, value in callers.first.headers}
        self._unanswered = 0
        self._forbidden = 0
        self._granted: set[str] = set()
        self.endless: set[str] = set()
        self._refusing: set[str] = set()

    @property
    def marks(self) -> dict[str, str]:
        """The headers that Schemathesis sends in place of the identity's."""
        return {header: self._marks[header.lower()] for header, _ in self._callers.first.headers}

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """One ASGI request; a lifespan is not served."""
        if scope["type"] != "http":
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        response = self._answer(read(scope, bytes(body), self._marks, self._contract))
        headers = [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in response.headers
            if name.lower() not in NOT_PASSED_BACK
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    def forget(self, cases: tuple[str, ...]) -> None:
        """Lets go of what was kept for the cases."""
        for case in cases:
            self.by_case.pop(case, None)
            self.steps.pop(case, None)

    def _answer(self, call: Call) -> Response:
        barred = (
            self.stopped or self._contract.is_removed(call.method, call.path) or not self._recorder.allows(call.method)
        )
        exchange = None if barred else self._exchange(call)
        if exchange is None or exchange.status == TOO_MANY:
            self.counts.unsent += 1
            return UNSENT
        self._keep(call, exchange)
        if exchange.response is None:
            return UNANSWERED
        return exchange.response

    def _exchange(self, call: Call) -> Exchange | None:
        """The answer in the end, quotas passed on or waited for, a lost identity renewed; None where there is none."""
        exchange, again = None, False
        for _ in range(MAX_ATTEMPTS):
            over = self._remaining_s() <= 0 or call.operation_id in self.endless
            who = None if over else self._who(call)
            if who is None:
                return None
            exchange = self._sent(call, who)
            if self.stopped:
                return None
            if exchange.status == TOO_MANY:
                if not self._paced(call, exchange, who):
                    return None
            elif self._renewed(call, exchange, who, again=again):
                again = True
            else:
                break
        return exchange

    def _paced(self, call: Call, exchange: Exchange, who: Identity) -> bool:
        """Notes that the quota is used up; whether there is a way to send the request again."""
        self.counts.paced += 1
        seconds = wait_of(exchange)
        if not self._speaks(call):
            return self._waited(call, seconds)
        self._callers.refused(call.operation_id, who, seconds)
        return True

    def _waited(self, call: Call, seconds: float) -> bool:
        """Waits, unless that is more than the operation's share of the budget."""
        if seconds > min(self._max_wait_s - self._wait_s[call.operation_id], self._remaining_s()):
            return False
        self._wait_s[call.operation_id] += seconds
        self._sleep(seconds)
        return True

    def _who(self, call: Call) -> Identity | None:
        if not self._speaks(call):
            return self._callers.first
        who = self._callers.pick(call.operation_id)
        if who is not None:
            return who
        if not self._waited(call, self._callers.wait_s(call.operation_id)):
            return None
        return self._callers.pick(call.operation_id)

    def _sent(self, call: Call, who: Identity) -> Exchange:
        timeout_s = max(MIN_TIMEOUT_S, min(self._timeout_s, self._remaining_s()))
        request = replace(self._request(call, who), timeout_s=timeout_s)
        exchange = self._recorder.send(request, case=self._case)
        self.counts.sent += 1
        self.counts.spent_ns[call.operation_id] += exchange.done_ns - exchange.sent_ns
        if exchange.endless and call.operation_id:
            self.endless.add(call.operation_id)
        if exchange.response is not None or exchange.endless:
            self._unanswered = 0
        elif not exchange.error.startswith("cannot be sent"):
            self._unanswered += 1
            if self._unanswered >= MAX_UNANSWERED and self._remaining_s() > 0:
                self.stopped = f"the target answered none of {self._unanswered} requests in a row: {exchange.error}"
        return exchange

    def _request(self, call: Call, who: Identity) -> Request:
        who = who if self._speaks(call) else self._callers.anonymous
        carried = tuple(pair for pair in who.headers if pair[0].lower() in call.marked)
        identity = replace(who, headers=carried)
        # Schemathesis' client asks for the codings that it can read; what is read here is the wire's matter.
        codings = ", ".join(CODINGS)
        headers = tuple((name, codings if name == "accept-encoding" else value) for name, value in call.headers)
        if any(name == "authorization" for name, _ in headers):
            identity, headers = replace(identity, headers=()), (*carried, *headers)
        return Request(
            method=call.method,
            path=call.path,
            operation=call.operation_id,
            query=call.query,
            headers=headers,
            body=call.body,
            identity=identity,
            step=self.steps.get(call.case, PROBE),
            secret_pointers=self._contract.secrets(call.operation) if call.operation else (),
        )

    def _speaks(self, call: Call) -> bool:
        """Whether the request goes out as the identity, and not with what anyone in its tenant sends.

        A call that needs no identity (login, register) is nobody's: a lost one would make it 401.
        """
        if call.operation is not None and not call.operation.secured:
            return False
        open_to_all = {header.lower() for header, _ in self._callers.anonymous.headers}
        return bool(call.marked - open_to_all)

    def _renewed(self, call: Call, exchange: Exchange, who: Identity, *, again: bool) -> bool:
        """Whether the identity was lost and has been renewed, so that the request is worth sending again.

        An operation that answers 401 to the renewed one too means something else by it (a wrong present password).
        """
        operation = call.operation
        if operation is None or not self._speaks(call) or not operation.secured or operation.optional_security:
            return False
        if exchange.outcome is Outcome.OK:
            self._forbidden = 0
            self.worked.add(who.name)
            self._granted.add(operation.id)
            return False
        if exchange.status == FORBIDDEN and operation.id in self._granted:
            self._forbidden += 1
        self.unauthorised += exchange.status == UNAUTHORIZED
        if again and exchange.status == UNAUTHORIZED:
            self._refusing.add(operation.id)
            return False
        never = not self.worked and not self._callers.renewals and self.unauthorised >= MAX_UNAUTHORISED
        lost = exchange.status == UNAUTHORIZED and (
            never or (who.name in self.worked and operation.id not in self._refusing)
        )
        if not lost and self._forbidden < MAX_FORBIDDEN:
            return False
        self._forbidden = 0
        fresh = self._callers.renewed(who)
        self.stopped = self._callers.lost
        return fresh is not None

    def _keep(self, call: Call, exchange: Exchange) -> None:
        if call.case:
            self.by_case[call.case] = exchange
        if exchange.response is None:
            return
        if self._pool is not None:
            self._pool.learn(exchange)
        self._callers.served(call.operation_id, exchange.request.identity)
        self.counts.examined[call.operation_id] += bool(call.operation_id)
        kept = self.accepted[call.operation_id]
        if exchange.outcome is Outcome.OK and len(kept) < MAX_KEPT:
            kept.append(exchange)

    def _remaining_s(self) -> float:
        return (self._deadline_ns - self._clock.now_ns()) / NS_PER_S
