"""Whether the headers of a limit are there and true, against what then happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.exchange import Outcome
from harness.promises.rate_limit import headers
from harness.promises.rate_limit.account import TOO_MANY_REQUESTS, View, is_call
from harness.promises.rate_limit.annotation import NS
from harness.promises.rate_limit.headers import GRANULARITY_NS
from harness.promises.rate_limit.model import slack_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Operation
    from harness.exchange import Exchange
    from harness.promises.rate_limit.model import Event

NO_HEADERS, NO_RETRY_AFTER, UNTRUE = "rate-limit.no-headers", "rate-limit.no-retry-after", "rate-limit.headers-untrue"
SHARED_KEY = "rate-limit.shared-key"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, told once however many answers show it."""

    code: str
    kind: str
    promised: str
    seen: str
    witnesses: tuple[str, ...]


def faults(operation: Operation, views: Sequence[View]) -> Iterator[Fault]:
    """Every fault of the headers, an answer at a time."""
    for view in views:
        calls = [pair for pair in view.seen if is_call(operation, pair[1]) and pair[1].response is not None]
        if view.limit.headers:
            for event, exchange in calls:
                yield from _absent(view, views, exchange)
                yield from _bounds(view, views, event, exchange)
            yield from _counts(operation, view, views)
            yield from _kept(operation, view, views)
        yield from _silent(view, calls)
        yield from _promises(operation, view, views)


def _refusers(views: Sequence[View], exchange: Exchange) -> list[View]:
    """The limits that can have refused it."""
    return [view for view in views if exchange.id in view.by_id and view.can_refuse(exchange.id)]


def _absent(view: View, views: Sequence[View], exchange: Exchange) -> Iterator[Fault]:
    """The members must stand on every success, and on a refusal of this limit."""
    told = headers.told(view.limit, exchange)
    refused = exchange.status == TOO_MANY_REQUESTS
    if not told.missing or (exchange.outcome is not Outcome.OK and not refused):
        return
    if refused and [other.limit for other in _refusers(views, exchange)] != [view.limit]:
        return
    yield Fault(
        NO_HEADERS,
        f"{view.limit.kind} {'refused' if refused else 'allowed'}",
        f"{view.limit.name} tells its limit in {view.limit.headers} headers on every answer it counts or refuses",
        f"an answer of {exchange.status} lacks {', '.join(told.missing)}: {headers.shown(view.limit, exchange)}",
        (exchange.id,),
    )


def _silent(view: View, calls: Sequence[tuple[Event, Exchange]]) -> Iterator[Fault]:
    for _, exchange in calls:
        if exchange.status != TOO_MANY_REQUESTS or not view.limit.retry_after:
            continue
        if headers.retry_after_ns(exchange) is None:
            value = exchange.response.header("Retry-After") if exchange.response else None
            yield Fault(
                NO_RETRY_AFTER,
                "",
                "a 429 says in Retry-After when to come again (RFC 9110, 10.2.3)",
                f"a 429 has {'no Retry-After' if value is None else f'Retry-After: {value!r}'}",
                (exchange.id,),
            )
            return


def _bounds(view: View, views: Sequence[View], event: Event, exchange: Exchange) -> Iterator[Fault]:
    """What one answer says against the declaration alone. Limits of one style share their headers: any may be meant."""
    if exchange.outcome is not Outcome.OK and exchange.status != TOO_MANY_REQUESTS:
        return
    alike = _alike(view, views, exchange)
    told = headers.told(view.limit, exchange)
    said = headers.shown(view.limit, exchange)
    if told.quota is not None and told.quota not in {other.limit.quota for other in alike}:
        yield _untrue(view, "limit", f"the limit told is {view.limit.quota}", said, exchange)
    if told.remaining is not None and told.remaining > max(other.limit.quota for other in alike):
        yield _untrue(view, "remaining", f"remaining is at most {view.limit.quota}", said, exchange)
    window_ns = max(other.limit.window_ns for other in alike)
    latest_ns = event.high_ns + window_ns + GRANULARITY_NS + slack_ns(window_ns)
    if told.reset_first_ns is not None and told.reset_first_ns > latest_ns:
        far_s = (told.reset_first_ns - event.high_ns) / NS
        seen = f"the reset told is {far_s:.1f} s away ({said})"
        yield _untrue(view, "reset late", f"the reset is at most {window_ns / NS:g} s away", seen, exchange)


def _counts(operation: Operation, view: View, views: Sequence[View]) -> Iterator[Fault]:
    """Remaining against the count, where a call stands apart; one off is true, as not every API counts the call."""
    quota, window_ns = view.limit.quota, view.limit.window_ns
    for _, (event, exchange) in view.apart():
        if not is_call(operation, exchange) or exchange.outcome is not Outcome.OK:
            continue
        if len(_alike(view, views, exchange)) != 1:
            continue
        remaining = headers.told(view.limit, exchange).remaining
        if remaining is None:
            continue
        said = headers.shown(view.limit, exchange)
        certain = view.counted.certain(event, window_ns) + 1
        if view.limit.algorithm == "sliding" and remaining > quota - certain + 1:
            yield _untrue(view, "remaining", f"remaining is {quota - certain} after {certain} counted", said, exchange)
        possible = view.window.possible(event, window_ns)
        if not view.own or remaining >= quota - possible - 1:
            continue
        others = [other for other in views if other.limit == view.limit and other.key != view.key]
        used = sum(other.window.possible(event, window_ns) for other in others)
        promised = f"remaining is {quota - possible} or more after at most {possible} counted"
        if remaining >= quota - possible - used - 1:
            seen = f"the first calls of one caller are told what another has used: {said}"
            yield Fault(SHARED_KEY, view.limit.kind, promised, seen, (exchange.id,))
        else:
            yield _untrue(view, "remaining", promised, said, exchange)


def _kept(operation: Operation, view: View, views: Sequence[View]) -> Iterator[Fault]:
    """Of as many calls as one that stood apart was told remain, none is refused: time only ever adds to them.

    Whichever of them was refused first, no more were counted before it than were not refused at all.
    """
    if not view.own:
        return
    for _, (event, exchange) in view.apart():
        if not is_call(operation, exchange) or exchange.outcome is not Outcome.OK:
            continue
        remaining = headers.told(view.limit, exchange).remaining
        if remaining is None or len(_alike(view, views, exchange)) != 1:
            continue
        later = [(other, answer) for other, answer in view.seen if other.low_ns >= event.high_ns]
        admitted = sum(not other.refused for other, _ in later)
        refused = [answer for other, answer in later if other.refused and _refusers(views, answer) == [view]]
        if refused and admitted < remaining:
            said = f"{headers.shown(view.limit, exchange)}; {admitted} more were admitted, and another was refused"
            yield _untrue(view, "remaining kept", f"{remaining} more are admitted where so many remain", said, exchange)
            return


def _promises(operation: Operation, view: View, views: Sequence[View]) -> Iterator[Fault]:
    """After the instant that a refusal promised, the next call must not be refused by the same limit."""
    for before, (event, exchange) in view.apart():
        if before is None or not is_call(operation, exchange) or not is_call(operation, before[1]):
            continue
        if not view.own or {before[1].status, exchange.status} != {TOO_MANY_REQUESTS}:
            continue
        if any(len(_refusers(views, refused)) != 1 for refused in (before[1], exchange)):
            continue
        if view not in _refusers(views, exchange):
            continue
        for name, promised_ns in _told_instants(view, views, before[1]):
            waited_ns = event.low_ns - before[0].high_ns
            if event.low_ns > promised_ns + GRANULARITY_NS + slack_ns(view.limit.window_ns):
                in_s = max(0.0, (promised_ns - before[0].high_ns) / NS)
                yield Fault(
                    UNTRUE,
                    f"{view.limit.kind} {name} early",
                    f"after the {name} that a refusal tells ({in_s:.1f} s), a call is admitted",
                    f"a call {waited_ns / NS:.1f} s later was refused again; "
                    f"the first refusal said {headers.shown(view.limit, before[1])}",
                    (before[1].id, exchange.id),
                )


def _told_instants(view: View, views: Sequence[View], exchange: Exchange) -> Iterator[tuple[str, int]]:
    if view.limit.headers and len(_alike(view, views, exchange)) == 1:
        reset_ns = headers.told(view.limit, exchange).reset_ns
        if reset_ns is not None:
            yield "reset", reset_ns
    retry_ns = headers.retry_after_ns(exchange)
    if retry_ns is not None:
        yield "Retry-After", retry_ns


def _alike(view: View, views: Sequence[View], exchange: Exchange) -> list[View]:
    """The limits that speak in the same headers of the same answer."""
    return [other for other in views if other.limit.headers == view.limit.headers and exchange.id in other.by_id]


def _untrue(view: View, what: str, promised: str, seen: str, exchange: Exchange) -> Fault:
    sentence = f"{view.limit.name}: {promised}"
    return Fault(UNTRUE, f"{view.limit.kind} {what}", sentence, f"an answer said {seen}", (exchange.id,))
