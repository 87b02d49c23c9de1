"""Batches of calls in process: each part counts, answers and fails by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.application import Parts
from reference_impl.contract.event import Event
from reference_impl.contract.procedure import ANYONE, Call, Procedure, Reply
from reference_impl.procedures.catalogue import PROCEDURES
from reference_impl.procedures.product_types import CategoryName
from reference_impl.rpc.batch import MOST_PARTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

ORIGIN = "http://shop.test"
LIST = {"url": f"{ORIGIN}/api/rpc/products/list", "body": {"json": {"limit": 1}}}


def send(shop: Any, items: Any, by: Any = None, mode: str = "buffered", **headers: str) -> httpx.Response:
    """Send a batch as the client does: to the first call's path."""
    content = items if isinstance(items, bytes) else json.dumps(items).encode()
    told = {"x-orpc-batch": mode, "Content-Type": "application/json", **headers}
    answer: httpx.Response = shop.send("POST", "/api/rpc/products/list/__batch__", by, content=content, headers=told)
    return answer


def codes(answer: httpx.Response) -> list[Any]:
    """Return the status of each part, and its code where it failed."""
    assert answer.status_code == 207, answer.text
    items = answer.json()
    assert [item["index"] for item in items] == list(range(len(items)))
    return [
        item["status"] if item["status"] < 400 else (item["status"], item["body"]["json"]["code"]) for item in items
    ]


def test_each_part_has_its_own_answer(shop: Any) -> None:
    """A good part, a refused one, an unknown procedure and one without a body stand side by side."""
    seller = shop.account("seller")
    product, gone = shop.product(seller), shop.product(seller)  # two, as the parts run at once
    at = f"{ORIGIN}/api/rpc"
    answer = send(
        shop,
        [
            LIST,
            {"url": f"{at}/products/get", "body": {"json": {"id": product["id"]}}},
            {"url": f"{at}/products/get", "body": {"json": {"id": "nope"}}},
            {"url": f"{at}/products/nope", "body": {"json": {}}},
            {"url": f"{at}/products/create", "body": {"json": {"name": 1}}},
            {"url": f"{at}/products/delete", "body": {"json": {"id": gone["id"]}}},
            {"url": f"{at}/products/list?data=%7B%7D", "method": "GET"},
        ],
        seller,
    )
    refused = [(404, "NOT_FOUND"), (404, "NOT_FOUND"), (400, "VALIDATION_ERROR")]
    assert codes(answer) == [200, 200, *refused, 204, 200]
    items = answer.json()
    assert items[1]["body"] == {"json": product}
    assert items[1]["headers"]["etag"] == '"1"'
    assert "body" not in items[5]
    ids = {item["headers"]["x-request-id"] for item in items}
    assert len(ids) == len(items)
    assert items[2]["body"]["json"]["data"]["error"]["requestId"] == items[2]["headers"]["x-request-id"]


def test_answers_come_as_events_when_streamed(shop: Any) -> None:
    """The client's default mode gives an event a part, each with its index."""
    pretty = {**LIST, "url": f"{LIST['url']}?pretty"}
    answer = send(shop, [LIST, pretty, {"url": f"{ORIGIN}/api/rpc/nope"}], mode="streaming")
    assert (answer.status_code, answer.headers["content-type"]) == (207, "text/event-stream")
    events = answer.text.split("\n\n")
    assert events[3:] == ["event: done", ""]
    told = [json.loads(event.removeprefix("event: message\ndata: ").replace("\ndata: ", "\n")) for event in events[:3]]
    assert sorted((item["index"], item["status"]) for item in told) == [(0, 200), (1, 200), (2, 404)]


def test_a_batch_by_get_only_reads(shop: Any) -> None:
    """GET carries the calls in `batch`; a part that writes is refused, so no link writes."""
    seller = shop.account("seller")
    product = shop.product(seller)
    items = [
        {"url": f"{ORIGIN}/api/rpc/products/list?data=%7B%7D"},
        {"url": f"{ORIGIN}/api/rpc/products/delete", "method": "POST", "body": {"json": {"id": product["id"]}}},
    ]
    path = "/api/rpc/products/list/__batch__"
    answer = shop.send("GET", path, seller, params={"batch": json.dumps(items)}, headers={"x-orpc-batch": "buffered"})
    assert codes(answer) == [200, (400, "VALIDATION_ERROR")]
    assert shop.send("GET", f"/products/{product['id']}").status_code == 200


def test_every_part_counts_as_a_call_of_its_own(open_shop: Callable[..., Any], settings: Any) -> None:
    """Parts spend the procedure's quota and the global one, and what is over is 429 for that part alone."""
    shop = open_shop()
    quotas = settings.limits.quotas
    before = int(shop.send("GET", "/categories").headers["ratelimit-remaining"])
    answer = send(shop, [LIST] * 4)
    left = sorted((int(item["headers"]["x-ratelimit-remaining"]) for item in answer.json()), reverse=True)
    assert left == [quotas.list - 1 - turn for turn in range(4)]
    after = int(shop.send("GET", "/categories").headers["ratelimit-remaining"])
    assert before - after == 5
    create = {"url": f"{ORIGIN}/api/rpc/auth/register", "body": {"json": {}}}
    told: list[Any] = []
    for _ in range(quotas.register // MOST_PARTS + 1):
        told += codes(send(shop, [create] * MOST_PARTS))
    assert told.count((400, "VALIDATION_ERROR")) == quotas.register
    assert told.count((429, "RATE_LIMITED")) == len(told) - quotas.register


def test_parts_may_be_of_several_callers(shop: Any) -> None:
    """A header of a part stands before the batch's, and a bad token fails its part only."""
    one, other = shop.account(), shop.account()
    me = {"url": f"{ORIGIN}/api/rpc/auth/me"}
    items = [
        me,
        {**me, "headers": {"authorization": f"Bearer {other.token}"}},
        {**me, "headers": {"Authorization": ["Bearer x"]}},
        {**me, "headers": {"x-tenant-id": "beta"}},
    ]
    answer = send(shop, items, one)
    assert codes(answer) == [200, 200, (401, "UNAUTHORIZED"), (401, "UNAUTHORIZED")]
    assert [item["body"]["json"]["id"] for item in answer.json()[:2]] == [one.id, other.id]
    assert answer.json()[2]["headers"]["www-authenticate"] == 'Bearer realm="api"'


BAD_ITEMS: list[Any] = [
    1,
    None,
    {},
    {"url": 1},
    {"url": ""},
    {"url": "http://["},
    {"url": f"{ORIGIN}/api/v1/products"},
    {"url": f"{ORIGIN}/health"},
    {"url": f"{ORIGIN}/api/rpc/%ff"},
    {"url": "/api/rpc/é?é"},
    {**LIST, "other": 1},
    {**LIST, "headers": {"x-forwarded-for": "10.0.0.1"}},
    {**LIST, "headers": {"Cookie": "session=x"}},
    {**LIST, "headers": {"origin": "http://a.test"}},
    {**LIST, "headers": {"content-length": "1"}},
    {**LIST, "headers": {"x-orpc-batch": "buffered"}},
    {**LIST, "headers": {"a b": "c"}},
    {**LIST, "headers": {"a": "b\r\nc: d"}},
    {**LIST, "headers": {"a": "\u2028"}},
    {**LIST, "headers": {"a": 1}},
    {**LIST, "body": []},
    {**LIST, "body": {"json": {}, "meta": [[9, "a"]]}},
]


@pytest.mark.parametrize("item", BAD_ITEMS)
def test_a_bad_part_fails_alone(shop: Any, item: Any) -> None:
    """What is no call, or may not be one, is refused in its place, and the call beside it is answered."""
    told = codes(send(shop, [LIST, item, LIST]))
    assert told == [200, (400, "VALIDATION_ERROR"), 200]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"{}", b"[]", b"null", b"[" * 100_000, b"[\xff]", b"[" + b"[" * 5000 + b"]" * 5000 + b"]"]
)
def test_what_is_no_batch_is_refused_whole(shop: Any, raw: bytes) -> None:
    """A body that is no array of calls is one error with the request's headers and limits."""
    answer = send(shop, raw)
    if answer.status_code == 207:
        assert codes(answer) == [(400, "VALIDATION_ERROR")]
        return
    assert (answer.status_code, answer.json()["json"]["code"]) == (400, "VALIDATION_ERROR")
    assert "ratelimit-remaining" in answer.headers


def test_a_batch_is_bounded(shop: Any) -> None:
    """One call too many is 413, a body over the limit too, another media type 415, a batch within a batch no call."""
    assert len(codes(send(shop, [LIST] * MOST_PARTS))) == MOST_PARTS
    assert send(shop, [LIST] * (MOST_PARTS + 1)).json()["json"]["code"] == "PAYLOAD_TOO_LARGE"
    large = [{**LIST, "body": {"json": {"search": "a" * shop.application.settings.edge.body_limit_bytes}}}]
    assert send(shop, large).status_code == 413
    assert send(shop, [LIST], **{"Content-Type": "text/plain"}).status_code == 415
    inner = {"url": f"{ORIGIN}/api/rpc/products/list/__batch__", "body": [LIST]}
    assert codes(send(shop, [inner, LIST])) == [(404, "NOT_FOUND"), 200]
    bare = shop.send("POST", "/api/rpc/__batch__", json=[LIST])
    assert bare.json()["json"]["code"] == "VALIDATION_ERROR"


def test_a_batch_keeps_its_tenant(shop: Any) -> None:
    """Under a tenant's prefix the parts carry it too, and an unknown tenant fails its part."""
    seller = shop.account("seller")
    shop.product(seller)
    items = [LIST, {**LIST, "url": f"{ORIGIN}/t/beta/api/rpc/products/list"}, {**LIST, "url": "/t/no/api/rpc/a"}]
    answer = send(shop, items)
    assert codes(answer) == [200, 200, (404, "NOT_FOUND")]
    assert [item["body"]["json"]["total"] for item in answer.json()[:2]] == [1, 0]


def test_a_stream_is_no_part(open_shop: Callable[..., Any]) -> None:
    """A procedure that streams is refused within a batch, so a batch ends."""

    async def stream(_call: Call[None, None]) -> Reply:
        async def events() -> AsyncIterator[Event]:
            yield Event("1", "a", CategoryName("a", "b"))

        return Reply(events())

    procedure = Procedure(
        "test.tick", "GET", "/test/tick", "Tick", stream, ANYONE, "list", output=CategoryName, stream=True
    )
    shop = open_shop(Parts(procedures=(*PROCEDURES, procedure)))
    assert codes(send(shop, [{"url": "/api/rpc/test/tick"}, LIST])) == [(400, "VALIDATION_ERROR"), 200]


def test_a_cookie_set_by_a_part_stays_out_of_the_body(shop: Any) -> None:
    """A part that signs in gives its token, and no cookie into the page's hands."""
    login = {"email": "admin@example.test", "password": "correct horse battery", "cookie": True}
    answer = send(shop, [{"url": "/api/rpc/auth/login", "body": {"json": login}}, LIST])
    assert codes(answer) == [200, 200]
    assert "set-cookie" not in answer.json()[0]["headers"]
