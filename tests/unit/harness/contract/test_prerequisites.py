"""Prerequisites: who produces what another needs, worked out from links, paths, names, schemas and examples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.contract.candidates import Kind
from harness.contract.prerequisites import TOLD
from harness.contract.shape import leaves
from harness.render import needs as rendered

Edges = dict[str, list[str]]
TEXT = {"type": "string"}
WORDS = ("apple", "bread", "cheese", "dough", "eclair", "fudge", "grape", "honey")


def answers(schema: Any, status: str = "201", **more: Any) -> dict[str, Any]:
    """Answers with a body of this schema."""
    return {status: {"description": "so", "content": {"application/json": {"schema": schema}}, **more}}


def body(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """A JSON request body."""
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def thing(schema: Any = TEXT, name: str = "id") -> dict[str, Any]:
    """The schema of what was made."""
    return {"type": "object", "properties": {name: schema, "note": TEXT}}


def path(*names: str, **more: Any) -> list[dict[str, Any]]:
    """Path parameters."""
    return [{"name": name, "in": "path", "required": True, "schema": TEXT, **more} for name in names]


def read(paths: dict[str, Any], **more: Any) -> Contract:
    """A contract of these paths."""
    return Contract.read({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **more}, "t")


def create(*needed: str, optional: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A POST whose body must have an id of each thing named."""
    members = {f"{name}Id": TEXT for name in (*needed, *optional)}
    return {"requestBody": body({"text": TEXT, **members}, *(f"{name}Id" for name in needed)), "responses": {}, **more}


def shop(edges: Edges, optional: Edges | None = None) -> Contract:
    """A collection and an item for each word; making one needs an id of each word of its edges."""
    paths: dict[str, Any] = {}
    for name, needed in edges.items():
        more = tuple((optional or {}).get(name, ()))
        post = create(*needed, optional=more, operationId=f"make.{name}", responses=answers(thing()))
        paths[f"/{name}s"] = {"post": post}
        paths[f"/{name}s/{{id}}"] = {
            "parameters": path("id"),
            "get": {"operationId": f"read.{name}", "responses": answers(thing(), "200")},
        }
    return read(paths)


@st.composite
def graphs(draw: st.DrawFn, least: int = 1) -> Edges:
    """What each of up to eight things needs, in any shape: chains, diamonds and circles, not of itself alone."""
    words = WORDS[: draw(st.integers(least, len(WORDS)))]
    return {
        word: draw(st.lists(st.sampled_from(words).filter(lambda item, word=word: item != word), unique=True))  # type: ignore[misc]  # a lambda's default has no type
        if len(words) > 1
        else []
        for word in words
    }


def circular(edges: Edges) -> set[str]:
    """What cannot be made: all that is left when what needs nothing more is taken away again and again."""
    left = {name: set(needed) for name, needed in edges.items()}
    while able := [name for name, needed in left.items() if not needed]:
        left = {name: needed - set(able) for name, needed in left.items() if name not in able}
    return set(left)


@given(graphs())
def test_a_plan_makes_everything_before_it_is_needed(edges: Edges) -> None:
    """For whatever can be made, the order has exactly what it stands on, each after what that needs itself."""
    contract = shop(edges)
    for name in edges.keys() - circular(edges):
        order = contract.prerequisites.order(contract.by_id[f"make.{name}"])
        assert len(set(order)) == len(order)
        for index, step in enumerate(order):
            assert {f"make.{needed}" for needed in edges[step.removeprefix("make.")]} <= set(order[:index])
        assert {f"make.{needed}" for needed in edges[name]} <= set(order)


@given(graphs())
def test_what_needs_itself_is_told_and_nothing_else_is(edges: Edges) -> None:
    """Exactly what cannot be made has a problem; it names a circle, or what leads into one; no plan runs for ever."""
    contract = shop(edges)
    stuck = circular(edges)
    for name, needed in edges.items():
        found = contract.prerequisites.needs(contract.by_id[f"make.{name}"])
        assert {need.name for need in found} == {f"/{word}Id" for word in needed}
        assert {need.name for need in found if need.problem} == {f"/{word}Id" for word in needed if word in stuck}
        assert all("they need each other" in need.problem and need.blocks for need in found if need.problem)
        reader = contract.prerequisites.need(contract.by_id[f"read.{name}"], "path", "id")
        assert reader is not None
        assert bool(reader.problem) == (name in stuck)


@given(graphs(), graphs())
def test_what_is_optional_closes_no_circle(edges: Edges, optional: Edges) -> None:
    """Optional members are filled where they can be, and nothing becomes impossible by them."""
    plain, more = shop(edges), shop(edges, {name: [n for n in optional.get(name, ()) if n in edges] for name in edges})
    for name in edges:
        operation = f"make.{name}"
        assert plain.prerequisites.order(plain.by_id[operation]) == more.prerequisites.order(more.by_id[operation])


@given(graphs(2), st.sampled_from(WORDS))
def test_a_missing_producer_is_named(edges: Edges, absent: str) -> None:
    """Where nothing makes a thing, whoever needs it is told so and how to tell it; it is drawn, and does not block."""
    kept = {name: needed for name, needed in edges.items() if name != absent}
    contract = shop(kept)
    for name, needed in kept.items():
        need = contract.prerequisites.need(contract.by_id[f"make.{name}"], "body", f"/{absent}Id")
        assert (need is not None) == (absent in needed)
        if need is not None:
            assert f"nothing tells what /{absent}Id is" in need.problem
            assert "x-promises.resource" in need.problem
            assert not need.blocks


@given(graphs())
def test_the_plan_is_the_same_every_time(edges: Edges) -> None:
    """A plan depends on the document alone."""
    assert rendered.plan(shop(edges), "t") == rendered.plan(shop(edges), "t")


def test_a_circle_is_broken_by_a_second_producer() -> None:
    """Where the best producer leads back, the next one is taken that does not."""
    link = {"links": {"apple": {"operationId": "make.bread", "requestBody": {"appleId": "$response.body#/id"}}}}
    contract = read(
        {
            "/apples": {"post": create("bread", operationId="make.apple", responses=answers(thing()))},
            "/apples/{id}": {"parameters": path("id"), "get": {"operationId": "read.apple", "responses": {}}},
            "/breads": {"post": create("apple", operationId="make.bread", responses=answers(thing()))},
            "/breads/{id}": {"parameters": path("id"), "get": {"operationId": "read.bread", "responses": {}}},
            "/windfalls": {"post": create(operationId="find", responses=answers(thing(), **link))},
        }
    )
    assert contract.prerequisites.order(contract.by_id["make.apple"]) == ("find", "make.bread")
    assert contract.prerequisites.unknown == ()


def test_a_nested_thing_is_made_under_its_parent() -> None:
    """The POST over an item's path produces the item's parameter, and its parent comes before."""
    contract = read(
        {
            "/farms": {"post": create(operationId="farms.add", responses=answers(thing(name="farm_id")))},
            "/farms/{farm_id}/cows": {
                "parameters": path("farm_id"),
                "post": create(operationId="cows.add", responses=answers(thing(name="cow_id"))),
            },
            "/farms/{farm_id}/cows/{cow_id}": {
                "parameters": path("farm_id", "cow_id"),
                "get": {"operationId": "cows.get", "responses": {}},
            },
        }
    )
    get = contract.by_id["cows.get"]
    found = [
        (n.name, n.producer.operation, n.producer.pointer) for n in contract.prerequisites.needs(get) if n.producer
    ]
    assert found == [("farm_id", "farms.add", "/farm_id"), ("cow_id", "cows.add", "/cow_id")]
    assert contract.prerequisites.order(get) == ("farms.add", "cows.add")


LINKED = {"links": {"Go": {"operationId": "use", "parameters": {"x": "$response.body#/ticket"}}}}
REFERRED = {"components": {"schemas": {"Code": {"type": "string", "pattern": "^T"}}}}
CODE = {"$ref": "#/components/schemas/Code"}


@pytest.mark.parametrize(
    ("made", "parameter", "more", "kind", "pointer"),
    [
        (answers(thing(name="ticket"), **LINKED), {"name": "x"}, {}, Kind.LINK, "/ticket"),
        (answers(thing(CODE)), {"name": "x", "schema": CODE}, REFERRED, Kind.SCHEMA, "/id"),
        (answers(thing(name="big_ticket_id")), {"name": "big_ticket_id"}, {}, Kind.MEMBER, "/big_ticket_id"),
        (answers(thing({**TEXT, "example": "T-1234"})), {"name": "x", "schema": {**TEXT, "example": "T-1234"}}, {},
         Kind.EXAMPLE, "/id"),
    ],
)  # fmt: skip
def test_each_kind_of_evidence(
    made: Any, parameter: dict[str, Any], more: dict[str, Any], kind: Kind, pointer: str
) -> None:
    """A link, a common schema, a member of the same name and a common example each lead to what produces an input."""
    told = {"in": "path", "required": True, "schema": TEXT, **parameter}
    paths = {
        "/tickets": {"post": create(operationId="make", responses=made)},
        f"/gate/{{{told['name']}}}": {"parameters": [told], "get": {"operationId": "use", "responses": {}}},
    }
    (need,) = (contract := read(paths, **more)).prerequisites.needs(contract.by_id["use"])
    assert need.producer is not None
    assert (need.producer.operation, need.producer.pointer) == ("make", pointer)
    assert [evidence.kind for evidence in need.producer.evidence] == [kind]


def test_what_is_declared_outweighs_all_else() -> None:
    """A resource under x-promises settles what a link says otherwise."""
    links = {"links": {"Get": {"operationId": "get", "parameters": {"id": "$response.body#/id"}}}}
    paths = {
        "/join": {"post": create(operationId="join", responses=answers(thing(), **links))},
        "/people": {"post": create(operationId="add", responses=answers(thing()))},
        "/person/{id}": {"parameters": path("id"), "get": {"operationId": "get", "responses": {}}},
    }
    told = {"x-promises": {"resource": {"person": {"create": "add", "read": "get"}}}}
    chosen = [
        contract.prerequisites.need(contract.by_id["get"], "path", "id")
        for contract in (read(paths), read(paths, **told))
    ]
    assert [need and need.producer and need.producer.operation for need in chosen] == ["join", "add"]


def test_a_value_of_another_type_is_no_candidate() -> None:
    """A number is not put where a text must stand in a body, nor a word where a UUID must."""
    members = {"ticketId": {"type": "string", "format": "uuid"}}
    paths = {
        "/tickets": {"post": create(operationId="make", responses=answers(thing({"type": "integer"})))},
        "/tickets/{id}": {"parameters": path("id"), "get": {"operationId": "get", "responses": {}}},
        "/trips": {"post": {"operationId": "go", "requestBody": body(members, "ticketId"), "responses": {}}},
    }
    need = (contract := read(paths)).prerequisites.need(contract.by_id["go"], "body", "/ticketId")
    assert need is not None
    assert need.producer is None
    assert "nothing tells what /ticketId is" in need.problem


def test_an_own_id_that_the_caller_chooses_is_no_need() -> None:
    """`petId` in the body that makes a pet is the pet's own."""
    paths = {
        "/pets": {"post": create("pet", operationId="make", responses=answers(thing()))},
        "/pets/{id}": {"parameters": path("id"), "get": {"operationId": "get", "responses": {}}},
    }
    contract = read(paths)
    assert contract.prerequisites.needs(contract.by_id["make"]) == ()


def test_an_unknown_path_parameter_blocks_unless_the_document_gives_it() -> None:
    """What nothing tells is a problem that says how to tell it; an example in the document is taken instead."""
    paths = {
        "/moons/{moon}": {"parameters": path("moon"), "get": {"operationId": "moon", "responses": {}}},
        "/suns/{sun}": {"parameters": path("sun", example="sol"), "get": {"operationId": "sun", "responses": {}}},
    }
    contract = read(paths)
    moon, sun = (contract.prerequisites.needs(contract.by_id[name])[0] for name in ("moon", "sun"))
    assert moon.blocks
    assert "nothing tells what {moon} is; declare its resource under x-promises.resource, write a link" in moon.problem
    assert (sun.given, sun.problem, sun.blocks) == (True, "", False)


def test_the_plan_as_it_is_shown() -> None:
    """Operation, needs, producer with its evidence, and at the end what is not known."""
    shown = rendered.plan(shop({"apple": [], "bread": ["apple", "zebra"]}), "s.json")
    assert shown.splitlines() == [
        "s.json: 4 operations, 4 inputs that name another thing: 3 are produced, 0 given by the document, 1 not known",
        "read.apple  GET /apples/{id}",
        "  needs {id} <- make.apple /id",
        "       12 path: POST /apples stands over /{id}",
        "make.bread  POST /breads",
        "  needs /appleId <- make.apple /id",
        "       10 name: appleId is named after apple",
        "  needs /zebraId <- not known",
        "read.bread  GET /breads/{id}  after make.apple, make.bread",
        "  needs {id} <- make.bread /id",
        "       12 path: POST /breads stands over /{id}",
        "",
        "Not known:",
        f"  make.bread: nothing tells what /zebraId is, and a value that is drawn is sent; {TOLD}",
    ]


def test_a_schema_of_its_own_kind_is_read_to_its_end() -> None:
    """Circular components, also by allOf and oneOf, have a plan like any other; their own kind is not followed."""
    node = {"$ref": "#/components/schemas/Node"}
    children = {f"child{number}": node for number in range(9)}
    schemas = {
        "Node": {"type": "object", "properties": {"id": TEXT, **children, "kin": {"oneOf": [node, TEXT]}}},
        "Twin": {"allOf": [{"$ref": "#/components/schemas/Twin"}, node]},
    }
    twin = {"$ref": "#/components/schemas/Twin"}
    taken = {"requestBody": {"content": {"application/json": {"schema": twin}}}}
    paths = {
        "/nodes": {"post": {"operationId": "make", **taken, "responses": answers(twin)}},
        "/nodes/{id}": {"parameters": path("id"), "get": {"operationId": "get", "responses": answers(twin, "200")}},
    }
    contract = read(paths, components={"schemas": schemas})
    assert contract.prerequisites.order(contract.by_id["get"]) == ("make",)
    found = [leaf.pointer for leaf in leaves(contract, twin)]
    assert found[0] == "/id"
    assert not [at for at in found if at.count("/child") > 1]
