"""Documents as they are met: long ones, wrong servers, paths in conflict, discriminators, no security, no examples."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.actors import Actors
from harness.contract import Contract
from harness.contract.example import Examples
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.catalogue import PROMISES, promised
from harness.session import read_contract
from harness.stage import Stage

ID = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
PARTS, SAMPLE = 125, 20
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["{a}", "/v1", "//h/v1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "variables", "a"]), inner),
    max_leaves=8,
)


def operation(name: str, body: Any = None) -> dict[str, Any]:
    """An operation that answers a thing with an id."""
    content = {"application/json": {"schema": {"type": "object", "properties": {"id": TEXT}}}}
    told = {"operationId": name, "responses": {"200": {"description": "fine", "content": content}}}
    return {**told, **({"requestBody": {"content": {"application/json": {"schema": body}}}} if body else {})}


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An OpenAPI document of these paths."""
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths, **more}


class Silent:
    """An API that knows nothing of what it is asked."""

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """404."""
        return Exchange("s", request, Response(404), 0, 0, 0, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """404 for each."""
        return tuple(self.send(request, case=case) for request in requests)


def test_five_hundred_operations_without_security_or_examples() -> None:
    """Each has its cases, each of those comes to an end, and an API that knows nothing is told no fault but reasons."""
    paths: dict[str, Any] = {}
    for number in range(PARTS):
        before = {f"part{number - 1}Id": TEXT} if number else {}
        body = {"type": "object", "properties": {"name": TEXT, **before}, "required": ["name", *before]}
        item = {"parameters": ID, "get": operation(f"get{number}"), "delete": operation(f"drop{number}")}
        paths |= {f"/part{number}s": {"get": operation(f"list{number}"), "post": operation(f"make{number}", body)}}
        paths |= {f"/part{number}s/{{id}}": item}
    contract = read_contract(document(paths), "long", [])
    assert len(contract.operations) == 4 * PARTS
    told = list(promised(contract))
    assert {item.id for _, item in told} == set(contract.by_id)
    cases = [case for promise, item in told if promise.cases for case in promise.cases(contract, item, Random(0))]
    for case in cases[:: len(cases) // SAMPLE]:
        driven = drive(case, Stage(contract, Actors({}), Random(0), "abcd"), Silent(), sleep=lambda _: None)
        assert driven.exchanges or driven.reason, case.key


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        ([{"url": "https://other.example/v9/"}], "/v9"),
        ([{"url": "http://{host}/{base}", "variables": {"host": {"default": "h"}, "base": {"default": "v2"}}}], "/v2"),
        ([{"url": "//h/v1"}], "/v1"),
        ([{"url": "{nowhere}"}], ""),
        ([{"url": "http://h/{version}/x"}], ""),
        ([{"url": 5}], ""),
        ([{"url": "http://[bad/v1"}], ""),
        ([{}], ""),
        ("x", ""),
    ],
)
def test_of_a_server_only_a_path_is_taken(servers: Any, path: str) -> None:
    """The host is the target's; what is no address says nothing, and the run's URL stands alone."""
    contract = Contract.read(document({"/a": {"get": operation("a")}}, servers=servers), "t")
    assert (contract.base_path, contract.operations[0].path) == (path, f"{path}/a")


@given(ANY)
def test_whatever_stands_for_servers_leaves_paths(servers: Any) -> None:
    """A path begins with a slash and has no braces that the document's own has not, whatever the servers are."""
    (only,) = Contract.read(document({"/a": {"get": operation("a")}}, servers=servers), "t").operations
    assert only.path.startswith("/")
    assert "{" not in only.path


def test_paths_that_differ_in_their_parameters_name_alone() -> None:
    """Each method finds its operation; where both have it, the first one stands for both."""
    apart = Contract.read(
        document({"/a/{id}": {"get": operation("x")}, "/a/{name}": {"delete": operation("y"), "get": operation("z")}}),
        "t",
    )
    assert [getattr(apart.match(method, "/a/7"), "id", "") for method in ("GET", "DELETE", "PUT")] == ["x", "y", ""]


CAT = {"type": "object", "required": ["kind", "lives"], "properties": {"kind": TEXT, "lives": NUMBER}}
DOG = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["hound"]}}}
BASE = {"type": "object", "required": ["kind"], "properties": {"kind": TEXT}, "discriminator": {"propertyName": "kind"}}
HEIR = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"lives": NUMBER}}]}


GRANDCHILD = {"allOf": [{"$ref": "#/components/schemas/Heir"}, {"type": "object", "properties": {"age": NUMBER}}]}
# A base that names its heirs, of which each has it as a part.
ROUND = {**BASE, "oneOf": [{"$ref": "#/components/schemas/Left"}, {"$ref": "#/components/schemas/Right"}]}
PART = {"allOf": [{"$ref": "#/components/schemas/Round"}]}
MAPPED = {**BASE, "discriminator": {"propertyName": "kind", "mapping": {"cub": "Known"}}}


def union(*names: str, **mapping: str) -> dict[str, Any]:
    """One of several components, told apart by `kind`."""
    told = {"propertyName": "kind", **({"mapping": mapping} if mapping else {})}
    return {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names], "discriminator": told}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (union("Cat", "Dog"), "Cat"),
        (union("Cat", "Dog", cat="#/components/schemas/Cat"), "cat"),
        (union("Cat", "Dog", tabby="Cat", hound="Dog"), "tabby"),
        (union("Dog", "Cat", other="Dog"), "hound"),
        (union("Heir", "Dog", heir="#/components/schemas/Heir"), "heir"),
        ({"$ref": "#/components/schemas/Heir"}, "Heir"),
        ({"$ref": "#/components/schemas/Grandchild"}, "Grandchild"),
        ({"allOf": [{"$ref": "#/components/schemas/Grandchild"}]}, "Grandchild"),
        (union("Grandchild", "Dog"), "Grandchild"),
        (union("Grandchild", "Dog", young="Grandchild"), "young"),
        ({"$ref": "#/components/schemas/Left"}, "Left"),
        ({"$ref": "#/components/schemas/Right"}, "Right"),
        ({"$ref": "#/components/schemas/Known"}, "cub"),
        ({"$ref": "#/components/schemas/KnownNew"}, "cub"),
        (union("Lion", "Dog"), "Lion"),
        (union("Hare", "Dog"), "hound"),
        ({"oneOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}, ""),
        ({**union("Cat"), "discriminator": "kind"}, ""),
    ],
)
def test_a_drawn_value_says_which_of_several_it_is(schema: Any, kind: str) -> None:
    """The discriminator's member has the mapping's name for the branch, else the component's; its own enum wins."""
    schemas = {"Cat": CAT, "Dog": DOG, "Base": BASE, "Heir": HEIR, "Grandchild": GRANDCHILD}
    schemas |= {"Lion": {"type": "object", "properties": {"kind": {"enum": ["Cat", "Lion", "Dog"]}}}, "Hare": DOG}
    schemas |= {"Round": ROUND, "Left": PART, "Right": PART, "Mapped": MAPPED}
    schemas |= {"Known": {"allOf": [{"$ref": "#/components/schemas/Mapped"}]}}
    schemas |= {"KnownNew": {"allOf": [{"$ref": "#/components/schemas/Known"}]}}
    made = document({"/pets": {"post": operation("make", schema)}}, components={"schemas": schemas})
    value = Examples(Contract.read(made, "pets"), Random(1), "n").value(schema)
    assert value["kind"] == kind or (not kind and value["kind"].startswith("kind-"))


@given(st.integers(1, 6), st.lists(st.integers(0, 5), max_size=3, unique=True))
def test_whose_parts_go_down_to_a_discriminator(depth: int, mapped: list[int]) -> None:
    """However deep the base lies below allOf, the outermost component decides, or the outermost that is mapped."""
    mapping = {f"k{number}": f"#/components/schemas/C{number}" for number in mapped}
    schemas: dict[str, Any] = {"Base": {**BASE, "discriminator": {"propertyName": "kind", "mapping": mapping}}}
    for number in range(depth):
        below = f"C{number + 1}" if number + 1 < depth else "Base"
        schemas[f"C{number}"] = {"allOf": [{"$ref": f"#/components/schemas/{below}"}]}
    schema = {"$ref": "#/components/schemas/C0"}
    made = document({"/pets": {"post": operation("make", schema)}}, components={"schemas": schemas})
    value = Examples(Contract.read(made, "pets"), Random(1), "n").value(schema)
    assert value["kind"] == next((f"k{number}" for number in range(depth) if number in mapped), "C0")


def test_without_a_security_section_nobody_is_asked_for() -> None:
    """No operation is secured, so no promise of who may call stands by itself; the document's others do."""
    contract = Contract.read(document({"/a": {"get": operation("a")}}), "t")
    assert [item.secured for item in contract.operations] == [False]
    assert not {promise.key for promise, _ in promised(contract)} & {"roles", "owner", "credentials"}
    assert {promise.key for promise in PROMISES} > {promise.key for promise, _ in promised(contract)}
