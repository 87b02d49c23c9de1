"""Runs Schemathesis and tells what failed in plain values; the only module that imports it.

Written against 4.32: `openapi.from_dict`, `schema.app`, the hooks `filter_failure` and `before_call` (the latter exists
for the whole process only, so one engine runs at a time), `engine.from_schema(...).execute()` and its events.

`max_time` of the engine divides the time: each operation gets a share of the phases examples and coverage, then fuzzing
and stateful take turns until the time is over. Without it (a number of examples is told instead) each phase runs once
and the requests are the same for the same seed and answers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.errors import SchemathesisError
from schemathesis.engine import events, from_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from schemathesis.core.failures import Failure
    from schemathesis.engine.core import EventStream
    from schemathesis.engine.recorder import ScenarioRecorder
    from schemathesis.generation.case import Case
    from schemathesis.hooks import HookContext
    from schemathesis.schemas import BaseSchema

    from harness.drivers.fuzz.pool import Pool

CHECKS = (
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "missing_required_header",
    "positive_data_acceptance",
    "use_after_free",
    "ensure_resource_availability",
)
FACTS = (
    "method", "failure_reason", "missing_methods", "undocumented_methods", "scenario", "header_name", "free", "usage",
)  # fmt: skip
UNREADABLE = (SchemathesisError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Plan:
    """One execution. `seconds` bounds it; with `examples` it is a fixed program of so many a phase and operation.

    `pool` puts ids of things in place of most that were drawn for them.
    """

    document: Mapping[str, Any] = field(repr=False)
    base_path: str
    seed: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    excluded: frozenset[tuple[str, str]] = frozenset()
    examples: int | None = None
    pool: Pool | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """One failure of a check. `cases` are those that show it, in the order of sending, the one that failed last."""

    check: str
    method: str
    path: str
    cases: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One operation, or one sequence of them, done: the phase, the ids of its cases, what failed."""

    phase: str
    cases: tuple[str, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Schemathesis could not examine something; `where` is an operation's label or the engine's own word."""

    where: str
    message: str


class Unreadable(Exception):
    """Schemathesis cannot use the document; the message says why in one line."""


class Engine:
    """One execution of Schemathesis against an ASGI application.

    `on_case` is told each case's id and step. `keeps` says whether a failure may be a finding at all, by its check, its
    facts, the method and the status: one that it drops neither ends a sequence nor hides others of its kind.
    """

    def __init__(
        self,
        plan: Plan,
        application: object,
        *,
        on_case: Callable[[str, str], None],
        keeps: Callable[[str, Mapping[str, Any], str, int], bool],
    ) -> None:
        """Loads the document; raises Unreadable."""
        self._on_case = on_case
        try:
            self._stream: EventStream = _stream(plan, application, keeps)
        except UNREADABLE as error:
            raise Unreadable(_line(error)) from error

    def events(self) -> Iterator[Scenario | Trouble]:
        """What happens, as it happens, until the end, the budget's end or `stop`."""

        def before_call(_context: Any, case: Case[Any], _kwargs: dict[str, Any]) -> None:
            self._on_case(case.id, _step(case))

        schemathesis.hook(before_call)
        try:
            for event in self._stream:
                if isinstance(event, events.ScenarioFinished):
                    yield _scenario(event)
                elif isinstance(event, events.NonFatalError):
                    yield Trouble(event.label, _line(event.value))
                elif isinstance(event, events.FatalError):
                    yield Trouble("engine", _line(event.exception))
        finally:
            hooks.unregister(before_call)

    def stop(self) -> None:
        """Ends the execution after the case that is being sent."""
        self._stream.stop()


def _stream(plan: Plan, application: object, keeps: Callable[[str, Mapping[str, Any], str, int], bool]) -> EventStream:
    document = copy.deepcopy(dict(plan.document))
    if str(document.get("openapi", "")).startswith("3.0"):
        document["openapi"] = "3.1.0"  # its schemas are in the 3.1 dialect (harness/contract/dialect.py)
    schema: BaseSchema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(_settings(plan)))
    if plan.excluded:
        schema = schema.exclude(
            lambda context: (context.operation.method.upper(), context.operation.path) in plan.excluded
        )
    if plan.examples is None:
        schema.config.max_time = plan.seconds  # type: ignore[assignment] # it is added to an instant, never counted
    schema.app = application

    def filter_failure(_context: Any, failure: Failure, case: Case[Any], response: Any) -> bool:
        return keeps(failure.checks[0] if failure.checks else "", _facts(failure), case.method, response.status_code)

    schema.hook(filter_failure)
    if plan.pool is not None:
        _offer(schema, plan.pool, plan.base_path)
    return from_schema(schema).execute()


def _offer(schema: BaseSchema, pool: Pool, base_path: str) -> None:
    """Lets the pool change what is drawn for paths and bodies."""

    def map_path_parameters(context: HookContext, path_parameters: Any) -> Any:
        operation = context.operation
        if operation is None:
            return path_parameters
        return pool.path(operation.method.upper(), f"{base_path}{operation.path}", path_parameters)

    def map_body(context: HookContext, body: Any) -> Any:
        operation = context.operation
        return body if operation is None else pool.body(operation.method.upper(), f"{base_path}{operation.path}", body)

    schema.hook(map_path_parameters)
    schema.hook(map_body)


def _settings(plan: Plan) -> dict[str, Any]:
    generation: dict[str, Any] = {"with-security-parameters": False, "database": "none", "no-shrink": True}
    if plan.examples is not None:
        generation["max-examples"] = plan.examples
    return {
        "seed": plan.seed,
        "suppress-health-check": ["all"],
        "cache": {"enabled": False},
        "base-url": f"http://target{plan.base_path}",
        "workers": 1,
        "continue-on-failure": True,
        "max-redirects": 0,
        "headers": dict(plan.headers),
        "generation": generation,
        "analysis": {"constants": {"enabled": False}},
        "auth": {"auto-signup": False},
        "checks": {
            "enabled": False,
            **{name: {"enabled": True} for name in CHECKS},
            "missing_required_header": {"enabled": True, "expected-statuses": ["4xx", "5xx"]},
        },
    }


def _step(case: Case[Any]) -> str:
    meta = case.meta
    return f"{meta.phase.name.value} {meta.generation.mode.value}" if meta else "case"


def _scenario(event: events.ScenarioFinished) -> Scenario:
    recorder = event.recorder
    failed = tuple(
        _failed(recorder, check.name, case_id, check.failure_info.failure)
        for case_id, checks in recorder.checks.items()
        for check in checks
        if check.failure_info is not None
    )
    return Scenario(event.phase.value, tuple(recorder.cases), failed)


def _failed(recorder: ScenarioRecorder, check: str, case_id: str, failure: Failure) -> Failed:
    case = recorder.cases[case_id].value
    chain = recorder.iter_chain_cases(case_id=case_id, related_case_ids=failure.related_case_ids())
    return Failed(
        check=check,
        method=case.operation.method.upper(),
        path=case.operation.path,
        cases=tuple(item.id for item in chain),
        facts=_facts(failure),
    )


def _facts(failure: Failure) -> dict[str, Any]:
    return {name: getattr(failure, name) for name in FACTS if hasattr(failure, name)}


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:297]}..."  # noqa: PLR2004 - the length of a message
