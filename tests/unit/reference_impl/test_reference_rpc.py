"""Calls over RPC in process: the same procedures, guards and limits as REST, and errors that keep the envelope."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation at run time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reference_impl.application import Parts
from reference_impl.contract.event import Event
from reference_impl.contract.procedure import ANYONE, SIGNED_IN, Call, Procedure, Reply
from reference_impl.contract.upload import Upload  # noqa: TC001 - msgspec reads the annotation at run time
from reference_impl.errors import ApiError
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.procedures.product_types import Product
from reference_impl.realtime.channels import ProductEvent
from reference_impl.rpc.joined import JoinedInput
from reference_impl.rpc.transport import path_of
from reference_impl.rpc.writing import OutputWriter, beyond_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

ABSENT = "01980000-0000-7000-8000-000000000000"


class Picture(msgspec.Struct, forbid_unknown_fields=True):
    """A file and a word about it."""

    file: Upload
    title: str = ""


class Size(msgspec.Struct):
    """How large a file is."""

    bytes: int
    name: str


class Tick(msgspec.Struct):
    """What a stream gives."""

    number: int


async def measure(call: Call[Picture, None]) -> Reply:
    """Answer a file's size."""
    return Reply(Size(len(call.body.file.data), call.body.file.name))


async def tick(_call: Call[None, None]) -> Reply:
    """Answer two events and a failure."""

    async def events() -> AsyncIterator[Event]:
        yield Event("1", "tick", Tick(1))
        yield Event("2", "tick", Tick(2))
        raise ApiError("CONFLICT", "No more.")

    return Reply(events())


UPLOAD = Procedure(
    id="test.measure",
    method="POST",
    path="/test/{id}/measure",
    summary="Measure",
    handler=measure,
    access=ANYONE,
    limit="get",
    input=Picture,
    output=Size,
    multipart=True,
)
STREAM = Procedure(
    id="test.tick",
    method="GET",
    path="/test/tick",
    summary="Tick",
    handler=tick,
    access=SIGNED_IN,
    limit="list",
    output=Tick,
    stream=True,
)


def call(shop: Any, name: str, value: Any = None, by: Any = None, **more: Any) -> httpx.Response:
    """Call a procedure with an input of plain JSON."""
    answer: httpx.Response = shop.send("POST", f"/api/rpc/{name}", by, json={"json": value or {}, **more})
    return answer


def failure(answer: httpx.Response) -> dict[str, Any]:
    """Return the error of an answer, after a look at its form."""
    body = answer.json()
    assert body.keys() == {"json"}, body
    error: dict[str, Any] = body["json"]
    assert error.keys() == {"defined", "code", "status", "message", "data"}, error
    assert error["defined"] is True
    assert error["status"] == answer.status_code
    envelope = error["data"]["error"]
    assert (envelope["code"], envelope["message"]) == (error["code"], error["message"])
    assert envelope["requestId"] == answer.headers["x-request-id"]
    return error


def test_every_procedure_has_its_path() -> None:
    """Each procedure of the catalogue stands at the path its id spells, and its input can be joined."""
    assert len({path_of(procedure) for procedure in PROCEDURES}) == len(PROCEDURES)
    for procedure in PROCEDURES:
        JoinedInput(procedure)


def test_a_procedure_whose_members_collide_is_refused() -> None:
    """A name that is both path parameter and body member stops start-up with the procedure's id."""

    class Body(msgspec.Struct):
        id: str

    procedure = Procedure("a.b", "POST", "/a/{id}", "A", measure, ANYONE, "create", input=Body)
    with pytest.raises(ValueError, match=r"a\.b: .* rename one"):
        JoinedInput(procedure)


def test_a_product_lives_over_rpc(shop: Any) -> None:
    """Create, get, list, update and delete give over RPC what REST gives."""
    seller = shop.account("seller")
    body = {"name": "Bowl", "price": 19.99, "stock": 3, "categoryId": shop.category()}
    made = call(shop, "products/create", body, seller)
    assert made.status_code == 201, made.text
    product = made.json()["json"]
    assert made.headers["location"] == f"/api/v1/products/{product['id']}"
    assert made.headers["etag"] == '"1"'
    assert shop.send("GET", made.headers["location"]).json() == product
    assert call(shop, "products/get", {"id": product["id"]}).json() == {"json": product}
    listed = call(shop, "products/list", {"limit": 1, "minPrice": 19.99, "search": "bow"}).json()["json"]
    shown = {name: value for name, value in product.items() if name != "reviews"}
    assert (listed["total"], listed["items"]) == (1, [shown])
    patch = {"id": product["id"], "version": 1, "price": 5}
    changed = call(shop, "products/update", patch, seller)
    assert (changed.status_code, changed.json()["json"]["version"]) == (200, 2), changed.text
    assert failure(call(shop, "products/update", patch, seller))["code"] == "CONFLICT"
    missing = {"id": product["id"], "price": 5}
    assert failure(call(shop, "products/update", missing, seller))["code"] == "PRECONDITION_REQUIRED"
    deleted = call(shop, "products/delete", {"id": product["id"]}, seller)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert failure(call(shop, "products/get", {"id": product["id"]}))["status"] == 404


def test_headers_go_as_they_do_in_rest(shop: Any) -> None:
    """If-Match counts where the client sends it."""
    seller = shop.account("seller")
    product = shop.product(seller)
    body = {"json": {"id": product["id"], "stock": 1}}
    stale = shop.send("POST", "/api/rpc/products/update", seller, json=body, headers={"If-Match": '"7"'})
    assert failure(stale)["code"] == "PRECONDITION_FAILED"
    fresh = shop.send("POST", "/api/rpc/products/update", seller, json=body, headers={"If-Match": '"1"'})
    assert fresh.json()["json"]["stock"] == 1


def test_a_safe_procedure_is_called_by_get(shop: Any) -> None:
    """GET with `data`, with none, and HEAD serve what only reads; a write by GET is 405 with Allow."""
    data = json.dumps({"json": {"limit": "5"}, "meta": [[0, "limit"]]})
    answer = shop.send("GET", "/api/rpc/products/list", params={"data": data})
    assert (answer.status_code, answer.json()["json"]["items"]) == (200, [])
    assert shop.send("GET", "/api/rpc/products/list").status_code == 200
    head = shop.send("HEAD", "/api/rpc/products/list")
    assert (head.status_code, head.content) == (200, b"")
    refused = shop.send("GET", "/api/rpc/products/create")
    assert failure(refused)["code"] == "METHOD_NOT_ALLOWED"
    assert refused.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("query", ["data=1&data=2", "other=1", "data={", "data=%ff", "data=[]"])
def test_a_wrong_query_is_refused(shop: Any, query: str) -> None:
    """A second `data`, another parameter, and text that is no JSON are 400."""
    assert failure(shop.send("GET", f"/api/rpc/products/list?{query}"))["code"] == "VALIDATION_ERROR"


def test_guards_and_limits_are_those_of_rest(open_shop: Callable[..., Any], settings: Any) -> None:
    """Roles are asked for, and a call over RPC and one over REST spend one quota."""
    shop = open_shop()
    quotas = settings.limits.quotas
    user = shop.account()
    assert failure(call(shop, "products/create", {}))["code"] == "UNAUTHORIZED"
    assert failure(call(shop, "products/create", {}, user))["code"] == "FORBIDDEN"
    assert failure(shop.send("POST", "/api/rpc/users/me", headers={"Authorization": "Bearer x"}))["status"] == 401
    left = []
    for turn in range(4):
        answer = call(shop, "categories/list") if turn % 2 else shop.send("GET", "/categories")
        left.append(int(answer.headers["x-ratelimit-remaining"]))
        assert int(answer.headers["x-ratelimit-limit"]) == quotas.list
        assert "ratelimit-remaining" in answer.headers
    assert left == [quotas.list - 1 - turn for turn in range(4)]


def test_an_unknown_procedure_and_an_unknown_tenant_are_404(shop: Any) -> None:
    """Errors of the layers have the protocol's form too, under a tenant's prefix as well."""
    assert failure(call(shop, "products/nope"))["code"] == "NOT_FOUND"
    assert failure(call(shop, "__proto__"))["code"] == "NOT_FOUND"
    unknown = shop.send("POST", "/t/nowhere/api/rpc/products/list", json={"json": {}})
    assert failure(unknown)["message"] == "No such tenant."
    assert shop.send("POST", "/t/beta/api/rpc/products/list", json={"json": {}}).json()["json"]["total"] == 0


BAD = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b'{"json":[]}',
    b'{"json":null}',
    b'{"json":{},"other":1}',
    b'{"json":{},"meta":{}}',
    b'{"json":{},"meta":[[0,"limit"]]}',
    b'{"json":{"limit":"1"},"meta":[["bigint","limit"]]}',
    b'{"json":{"limit":"1"},"meta":[[99,"limit"]]}',
    b'{"json":{"limit":"1"},"meta":[[0,"__proto__"]]}',
    b'{"json":{"limit":"1"},"meta":[[0,"limit","toString"]]}',
    b'{"json":{"limit":"%b"},"meta":[[0,"limit"]]}' % (b"9" * 4300),
    b'{"json":{"limit":"%b"},"meta":[[0,"limit"]]}' % (b"9" * 5000),
    b'{"json":{"minPrice":"%b"},"meta":[[0,"minPrice"]]}' % (b"9" * 4300),
    b'{"json":{"limit":null},"meta":[[2,"limit"]]}',
    b'{"json":{"search":"/a/g"},"meta":[[5,"search"]]}',
    b'{"json":{"search":"2026-01-31T00:00:00.000Z"},"meta":[[1,"search","x"]]}',
    b'{"json":{"__proto__":{"admin":true}}}',
    b'{"json":{"limit":1e999999}}',
    b'{"json":{"limit":1.5}}',
    b'{"json":{"limit":101}}',
    b'{"json":{"search":"\xff"}}',
    b'{"json":{"search":"\\ud800"}}',
    b'{"json":' + b"[" * 100_000,
    b'{"json":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"json":{"limit":' + b'{"a":' * 900 + b"1" + b"}" * 902,
    b'{"meta":[[3]]}',
]


@pytest.mark.parametrize("raw", BAD)
def test_what_is_not_of_the_protocol_is_400(shop: Any, raw: bytes) -> None:
    """Bodies, meta and values that do not fit are VALIDATION_ERROR in the envelope, never a 5xx."""
    headers = {"Content-Type": "application/json"}
    answer = shop.send("POST", "/api/rpc/products/list", content=raw, headers=headers)
    if raw == b"":
        assert answer.status_code == 200
        return
    error = failure(answer)
    assert (error["status"], error["code"]) == (400, "VALIDATION_ERROR")
    assert error["data"]["error"]["details"][0]["field"]


META = st.lists(
    st.lists(st.one_of(st.integers(-1, 9), st.sampled_from(["limit", "search", "__proto__", "a"]), st.none())),
    max_size=4,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.sampled_from(["limit", "search", "page", "minPrice", "category", "a"]), inner),
    ),
)


@given(JSON, META)
@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_input_is_a_fault_of_the_server(shop: Any, value: Any, meta: list[Any]) -> None:
    """Whatever stands in `json` and `meta`, the call is answered or refused with 400."""
    answer = shop.send("POST", "/api/rpc/products/list", json={"json": value, "meta": meta})
    assert answer.status_code in {200, 400}, answer.text


def test_types_of_bodies_and_sizes_are_bounded(shop: Any) -> None:
    """Another media type is 415, a body over the limit 413, a form to a procedure without files 415."""
    path = "/api/rpc/products/list"
    for kind in ("text/plain", "text/event-stream", "application/x-www-form-urlencoded"):
        answer = shop.send("POST", path, content=b'{"json":{}}', headers={"Content-Type": kind})
        assert failure(answer)["status"] == 415
    assert failure(shop.send("POST", path, files={"0": b"x"}, data={"data": "{}"}))["status"] == 415
    large = b'{"json":{"search":"%b"}}' % (b"a" * shop.application.settings.edge.body_limit_bytes)
    answer = shop.send("POST", path, content=large, headers={"Content-Type": "application/json"})
    assert failure(answer)["code"] == "PAYLOAD_TOO_LARGE"


def form(shop: Any, envelope: Any, files: dict[str, Any], **more: str) -> httpx.Response:
    """Call the procedure that takes a file."""
    data = {"data": json.dumps(envelope), **more}
    answer: httpx.Response = shop.send("POST", "/api/rpc/test/measure", data=data, files=files)
    return answer


def test_a_file_comes_in_a_form(open_shop: Callable[..., Any]) -> None:
    """The file stands in the input where `maps` says; a form that does not fit is 400."""
    shop = open_shop(Parts(procedures=(*PROCEDURES, UPLOAD)))
    good = {"json": {"id": "1", "file": {}, "title": "x"}, "maps": [["file"]]}
    one = {"0": ("a.png", b"12345")}
    assert form(shop, good, one).json() == {"json": {"bytes": 5, "name": "a.png"}}
    wrong = [
        ({**good, "maps": []}, one),
        ({**good, "maps": [["nope"]]}, one),
        ({**good, "maps": [["title"]]}, one),
        ({**good, "maps": [["__proto__"]]}, one),
        ({**good, "maps": 1}, one),
        ({**good, "maps": [["file"], ["title"]]}, {**one, "1": ("b", b"1")}),
        ({"json": good["json"]}, one),
        (good, {"1": ("a", b"1")}),
        (good, {**one, "2": ("a", b"1")}),
        (good, {}),
        ({"json": {"id": "1"}, "maps": [[]]}, one),
        ([], one),
    ]
    for envelope, files in wrong:
        assert failure(form(shop, envelope, files or {"x": ("x", b"")}))["code"] == "VALIDATION_ERROR"
    plain = shop.send("POST", "/api/rpc/test/measure", json={"json": {"id": "1", "file": "text"}})
    assert failure(plain)["data"]["error"]["details"] == [{"field": "file", "message": "expected a file"}]


def test_a_stream_is_an_event_iterator(open_shop: Callable[..., Any]) -> None:
    """Each event is a message with its id, and a failure after the start ends in an error event."""
    shop = open_shop(Parts(procedures=(*PROCEDURES, STREAM)))
    user = shop.account()
    answer = shop.send("GET", "/api/rpc/test/tick", user)
    assert answer.headers["content-type"] == "text/event-stream"
    events = [event for event in answer.text.split("\n\n") if event and not event.startswith(":")]
    assert events[0] == 'event: message\nid: 1\ndata: {"json":{"number":1}}'
    assert events[1].startswith("event: message\nid: 2\n")
    name, data = events[2].split("\n")
    assert name == "event: error"
    error = json.loads(data.removeprefix("data: "))["json"]
    assert (error["code"], error["status"], error["data"]["error"]["message"]) == ("CONFLICT", 409, "No more.")
    assert len(events) == 3
    assert failure(shop.send("GET", "/api/rpc/test/tick"))["status"] == 401


class Rich(msgspec.Struct, rename="camel"):
    """What JSON has no word for, in types of Python."""

    taken_at: datetime
    tags: set[str]
    count: int
    more: Any = None


def test_types_beyond_json_are_written_with_their_meta(open_shop: Callable[..., Any]) -> None:
    """A Date, a Set and a bigint go in and come out as what they are, and a plain output has no meta."""

    async def echo(call: Call[Rich, None]) -> Reply:
        return Reply(call.body)

    procedure = Procedure("test.echo", "POST", "/test/echo", "Echo", echo, ANYONE, "list", input=Rich, output=Rich)
    shop = open_shop(Parts(procedures=(*PROCEDURES, procedure)))
    sent = {
        "json": {"takenAt": "2026-01-31T12:00:00.000Z", "tags": ["a"], "count": "9007199254740992", "more": {"a": [1]}},
        "meta": [[1, "takenAt"], [6, "tags"], [0, "count"]],
    }
    answer = shop.send("POST", "/api/rpc/test/echo", json=sent)
    assert answer.json() == sent


def test_outputs_of_the_catalogue_are_json() -> None:
    """Writing finds what JSON cannot say wherever it stands in a type."""
    told = ProductEvent("created", "1")
    assert msgspec.json.decode(OutputWriter(Any).write(told)) == {"json": msgspec.to_builtins(told)}
    assert beyond_json(Rich)
    assert beyond_json(dict[str, list[Rich | None]])
    assert not beyond_json(Product)


def test_accept_and_pretty_hold_as_in_rest(shop: Any) -> None:
    """Another media type is 406, `?pretty` indents, over GET and in a call that fails too."""
    path = "/api/rpc/products/list"
    assert failure(shop.send("POST", path, json={"json": {}}, headers={"Accept": "text/html"}))["status"] == 406
    assert shop.send("POST", f"{path}?pretty", json={}).text.startswith('{\n  "json": {\n    "items"')
    assert shop.send("GET", f"{path}?data=%7B%7D&pretty").text.startswith('{\n  "json"')
    assert shop.send("POST", f"{path}?pretty", json=[]).text.startswith('{\n  "json"')
