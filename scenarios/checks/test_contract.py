"""The checklist's items that the document itself tells: its names, types and shapes."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Operation
    from harness.run import Run

OPERATION_ID = re.compile(r"[a-z][a-zA-Z]*\.[a-z][a-zA-Z]*")
SEGMENT = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*|\{[a-zA-Z]+\}")
BOUNDS = {
    "string": {"maxLength", "pattern", "format", "enum", "const", "contentEncoding"},
    "integer": {"maximum", "exclusiveMaximum", "enum", "const"},
    "number": {"maximum", "exclusiveMaximum", "enum", "const"},
    "array": {"maxItems"},
}
NAMED = ("summary", "tags")


def _resolved(run: Run, schema: Any) -> Mapping[str, Any]:
    """A schema, behind its reference where it is one."""
    while isinstance(schema, dict) and "$ref" in schema:
        found: Any = run.contract.document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        schema = found
    return schema if isinstance(schema, dict) else {}


def _parts(run: Run, schema: Any, place: str, met: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Every schema inside a schema, with its place; a recursive one once."""
    name = schema.get("$ref", "") if isinstance(schema, dict) else ""
    if name in met and name:
        return
    whole = _resolved(run, schema)
    yield place, whole
    deeper = met | {name}
    for key, member in (whole.get("properties") or {}).items():
        yield from _parts(run, member, f"{place}/{key}", deeper)
    if "items" in whole:
        yield from _parts(run, whole["items"], f"{place}[]", deeper)
    for word in ("anyOf", "oneOf", "allOf"):
        for member in whole.get(word) or ():
            yield from _parts(run, member, place, deeper)


def _inputs(run: Run) -> Iterator[tuple[str, Any]]:
    """Every schema of what clients send, with its place."""
    for operation in run.contract.operations:
        for parameter in operation.parameters:
            yield from _parts(run, parameter.schema, f"{operation.id} {parameter.place} {parameter.name}")
        for body in operation.bodies:
            yield from _parts(run, body.schema, f"{operation.id} body")


def _outputs(run: Run) -> Iterator[tuple[Operation, str, Any]]:
    """Every schema of a JSON answer, with its operation and status."""
    for operation in run.contract.operations:
        for answer in operation.answers:
            for body in answer.bodies:
                if body.media_type == "application/json":
                    yield operation, answer.status, body.schema


@pytest.mark.checks("R1")
def test_paths_name_things(run: Run) -> None:
    """Every segment is lower case with hyphens or one parameter; an id stands behind the plural of what it names."""
    wrong = []
    for operation in run.contract.operations:
        parts = [part for part in operation.path.split("/") if part]
        wrong += [f"{operation.path}: {part}" for part in parts if not SEGMENT.fullmatch(part)]
        wrong += [
            f"{operation.path}: {before} is no plural"
            for before, part in itertools.pairwise(parts)
            if part.startswith("{") and not before.endswith("s")
        ]
    assert not wrong, wrong


@pytest.mark.checks("R2")
def test_methods_say_what_they_do(run: Run) -> None:
    """A read takes no body, a creation is a POST that answers 201, a removal answers no body."""
    wrong = []
    for operation in run.contract.operations:
        statuses = {answer.status for answer in operation.answers if answer.status.startswith("2")}
        if operation.reads and operation.bodies:
            wrong.append(f"{operation.id} is a {operation.method} with a body")
        if operation.id.endswith(".create") and (operation.method != "POST" or "201" not in statuses):
            wrong.append(f"{operation.id} is a {operation.method} that answers {statuses}")
        if operation.method == "DELETE" and not statuses <= {"204"}:
            wrong.append(f"{operation.id} answers {statuses}")
    assert not wrong, wrong


@pytest.mark.checks("R10")
def test_every_operation_is_explained(run: Run) -> None:
    """Each has a summary and a tag, and every answer says when it is given."""
    bare = []
    for operation in run.contract.operations:
        item = _resolved(run, {"$ref": f"#{operation.pointer}"}) if operation.pointer else {}
        bare += [f"{operation.id}: {name}" for name in NAMED if not item.get(name)]
        bare += [
            f"{operation.id}: {status}"
            for status, answer in (item.get("responses") or {}).items()
            if not _resolved(run, answer).get("description")
        ]
    assert not bare, bare


@pytest.mark.checks("P1")
def test_everything_sent_and_answered_has_a_type(run: Run) -> None:
    """No schema of a parameter, a body or an answer is empty, and objects of bodies take no member beside theirs."""
    wrong = [place for place, schema in _inputs(run) if not schema]
    wrong += [f"{operation.id} {status}" for operation, status, schema in _outputs(run) if not _resolved(run, schema)]
    wrong += [
        f"{place} takes any member"
        for place, schema in _inputs(run)
        if " body" in place and schema.get("properties") and schema.get("additionalProperties") is not False
    ]
    assert not wrong, wrong


@pytest.mark.checks("P2")
def test_operations_are_named_alike(run: Run) -> None:
    """Each id is a noun and a verb, `products.create`, unlike any other but for its case."""
    ids = [operation.id for operation in run.contract.operations]
    wrong = [name for name in ids if not OPERATION_ID.fullmatch(name)]
    assert not wrong, wrong
    assert len({name.lower() for name in ids}) == len(ids), ids


@pytest.mark.checks("P3")
def test_everything_sent_is_bounded(run: Run) -> None:
    """Every text, number and list that a client sends has its longest, largest or form."""
    loose = [
        f"{place}: a {kind} without a bound"
        for place, schema in _inputs(run)
        for kind in _kinds(schema)
        if kind in BOUNDS and not BOUNDS[kind] & schema.keys()
    ]
    assert not loose, loose


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    told = schema.get("type") or []
    return [told] if isinstance(told, str) else told


@pytest.mark.checks("P4")
def test_one_thing_has_one_type(run: Run) -> None:
    """What a resource's creation, read and change answer is one and the same named schema."""
    shapes: dict[str, set[str]] = {}
    for operation, status, schema in _outputs(run):
        noun, _, verb = operation.id.partition(".")
        if status.startswith("2") and verb in {"create", "get", "update"} and operation.path.count("{") <= 2:  # noqa: PLR2004 - a thing or a part of it
            shapes.setdefault(noun, set()).add(str(schema.get("$ref", "unnamed")))
    # A key is shown whole once, when it is made.
    differing = {noun: found for noun, found in shapes.items() if len(found) > 1 and noun != "keys"}
    assert shapes
    assert not differing, differing


@pytest.mark.checks("P5")
def test_refusals_share_one_type(run: Run) -> None:
    """Every refusal of every operation answers the same named schema."""
    found = {str(schema.get("$ref")) for _, status, schema in _outputs(run) if status[0] in "45"}
    assert len(found) == 1, found


@pytest.mark.checks("P8")
def test_clients_can_be_generated(run: Run) -> None:
    """Path parameters are declared and required, schemas have names that are identifiers, references lead somewhere."""
    wrong = []
    for operation in run.contract.operations:
        in_path = set(re.findall(r"\{(\w+)\}", operation.path))
        declared = {item.name for item in operation.path_parameters if item.required}
        wrong += [f"{operation.id}: {name}" for name in in_path ^ declared]
    schemas = (run.contract.document.get("components") or {}).get("schemas") or {}
    wrong += [name for name in schemas if not re.fullmatch(r"[A-Za-z_]\w*", name)]
    for _, _, schema in _outputs(run):
        for _ in _parts(run, schema, ""):  # raises KeyError where a reference leads nowhere
            pass
    assert not wrong, wrong


@pytest.mark.checks("P9")
def test_the_document_is_valid(run: Run) -> None:
    """An independent validator accepts what is served."""
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    answer = run.recorder.send(Request(method="GET", path="/openapi.json"), case="checklist").response
    assert answer is not None
    validator.validate(answer.json())


@pytest.mark.checks("P10")
def test_streams_tell_their_events(run: Run) -> None:
    """Every operation that answers events gives their schema."""
    streams = [operation for operation in run.contract.operations if operation.streams]
    assert streams, "no operation answers events"
    bare = [
        f"{operation.id} {body.media_type}"
        for operation in streams
        for answer in operation.answers
        for body in answer.bodies
        if answer.status.startswith("2") and not _resolved(run, body.schema)
    ]
    assert not bare, bare


@pytest.mark.checks("F3", "F4")
def test_lists_are_pages_of_bounded_items(run: Run) -> None:
    """An operation that lists takes a limit with a largest value; its items hold no list of other things."""
    wrong = []
    for operation in run.contract.operations:
        if not operation.id.endswith(".list"):
            continue
        limit = next((item for item in operation.parameters if item.name == "limit"), None)
        if limit is None or "maximum" not in _resolved(run, limit.schema):
            wrong.append(f"{operation.id} has no bounded limit")
        for other, status, schema in _outputs(run):
            if other is operation and status == "200":
                wrong += [
                    f"{operation.id}: {place}"
                    for place, part in _parts(run, schema, "")
                    if place.endswith("[]") and place.count("[]") > 1 and "id" in (part.get("properties") or {})
                ]
    assert not wrong, wrong
