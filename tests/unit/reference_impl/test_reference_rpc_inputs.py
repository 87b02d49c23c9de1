"""What comes in a call and does not fit: refused as 400, 413 or 415 in the envelope, never a fault."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.unit.reference_impl.rpc_calls import failure


@pytest.mark.parametrize("query", ["data=1&data=2", "other=1", "data={", "data=%ff", "data=[]"])
def test_a_wrong_query_is_refused(shop: Any, query: str) -> None:
    """A second `data`, another parameter, and text that is no JSON are 400."""
    assert failure(shop.send("GET", f"/api/rpc/products/list?{query}"))["code"] == "VALIDATION_ERROR"


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


TWICE = [
    ("limit", b'{"json":{"limit":1,"limit":2}}'),
    ("limit", b'{"json":{"limit":1,"l\\u0069mit":2}}'),
    ("json", b'{"json":{"limit":1},"json":{"limit":2}}'),
    ("meta", b'{"json":{},"meta":[],"meta":[]}'),
]


@pytest.mark.parametrize(("name", "raw"), TWICE)
def test_a_member_stands_once(shop: Any, name: str, raw: bytes) -> None:
    """By POST, by GET, in a form and in a batch a name that stands twice is refused, however it is spelt."""
    headers = {"Content-Type": "application/json"}
    part = b'[{"url":"/api/rpc/products/list","method":"POST","body":%b}]' % raw
    batch = shop.send("POST", "/api/rpc/__batch__", content=part, headers={**headers, "x-orpc-batch": "buffered"})
    answers = [
        failure(shop.send("POST", "/api/rpc/products/list", content=raw, headers=headers)),
        failure(shop.send("GET", "/api/rpc/products/list", params={"data": raw.decode()})),
        batch.json()[0]["body"]["json"],
    ]
    for error in answers:
        assert error["status"] == 400
        assert error["data"]["error"]["details"] == [{"field": name, "message": "it may stand once only"}]


def test_a_part_of_a_batch_says_a_thing_once(shop: Any) -> None:
    """Of two addresses in one part neither is called; the parts beside it are."""
    one = b'{"url":"/api/rpc/products/list"}'
    two = b'{"url":"/api/rpc/products/list","url":"/api/rpc/auth/me"}'
    headers = {"Content-Type": "application/json", "x-orpc-batch": "buffered"}
    answer = shop.send("POST", "/api/rpc/__batch__", content=b"[%b,%b]" % (one, two), headers=headers)
    assert [part["status"] for part in answer.json()] == [200, 400]


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
