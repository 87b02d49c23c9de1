"""Bodies and queries are read as JSON Schema means them, and nothing makes a 500."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impl.contract.reading import BodyReader, QueryReader
from reference_impl.errors import ApiError
from reference_impl.procedures.order_types import OrderInput
from reference_impl.procedures.product_types import ProductInput, ProductQuery

if TYPE_CHECKING:
    from conftest import Shop

CATEGORY = '"categoryId": "01980000-0000-7000-8000-000000000000"'
BODY = BodyReader(ProductInput)
QUERY = QueryReader(ProductQuery)


@pytest.mark.parametrize("stock", ["7", "7.0", "7e0", "0.7e1", "70e-1"])
def test_an_integral_number_is_an_integer(stock: str) -> None:
    """JSON Schema knows no difference between 7 and 7.0."""
    assert BODY.read(f'{{"name": "A", "price": 1, "stock": {stock}, {CATEGORY}}}'.encode()).stock == 7


@pytest.mark.parametrize(
    "member",
    [
        '"stock": true',
        '"stock": 7.5',
        '"stock": 1e20',
        '"stock": 9223372036854775808',
        '"stock": 1e999999999',
        '"stock": 1e99999999999999999999',
        '"stock": NaN',
        '"stock": null',
        '"stock": "7"',
        '"stock": -1',
        '"description": "\\u0000"',
        '"description": "\\ud800"',
        '"description": "\\ud800\\ud800"',
        '"unknown": 1',
        '"images": ["ftp://a"]',
        '"images": ' + "[" * 3000,
    ],
)
def test_what_does_not_fit_is_refused(member: str) -> None:
    """Each is a VALIDATION_ERROR, none an unexpected error."""
    with pytest.raises(ApiError) as refused:
        BODY.read(f'{{"name": "A", "price": 1, {member}, {CATEGORY}}}'.encode())
    assert refused.value.code == "VALIDATION_ERROR"


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No bytes raise anything but ApiError, in a body or a query."""
    for reader in (BODY, BodyReader(OrderInput), QUERY):
        try:
            reader.read(raw)
        except ApiError as error:
            assert error.code == "VALIDATION_ERROR"  # noqa: PT017 - success is as good


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=abc",
        "limit=",
        "limit=101",
        "limit=1&limit=1",
        "page=0",
        "page=1e20",
        "page=99999999999999999999",
        "nope=1",
        "search=%00",
        "search=%ff",
        "category=x",
        "minPrice=-1",
        "minPrice=1.001",
        "sortBy=name",
        "limit=1.5",
        "limit=%D9%A1",
    ],
)
def test_a_query_that_does_not_fit_is_refused(query: str) -> None:
    """Each is a VALIDATION_ERROR."""
    with pytest.raises(ApiError) as refused:
        QUERY.read(query.encode())
    assert refused.value.code == "VALIDATION_ERROR"


def test_a_query_has_its_defaults() -> None:
    """Nothing sent means the declared defaults; 5.0 is an integer here too."""
    assert (QUERY.read(b"").limit, QUERY.read(b"limit=5.0").limit) == (20, 5)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "TRACE"]),
    st.sampled_from(["/products", "/products/%00", "/users/x", "/orders", "/auth/login", "/nope", "/categories/%ff"]),
    st.binary(max_size=30),
    st.sampled_from(["application/json", "text/plain", "application/json; charset=utf-16", ""]),
)
def test_no_request_is_a_500(shop: Shop, method: str, path: str, body: bytes, kind: str) -> None:
    """Whatever comes, the answer is a documented refusal or a success, in the envelope, with its id."""
    headers = {"content-type": kind} if kind else {}
    answer = shop.send(method, path, shop.admin, content=body, headers=headers)
    assert answer.status_code < 500
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]
