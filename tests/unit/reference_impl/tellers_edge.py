"""How a defect of the edge is told: origins, addresses, windows, headers, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Account, Shop

    from reference_impl.stores.memory.limits import MemoryLimits

PREFLIGHT = {"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}


def allowed_origin(shop: Shop) -> str | None:
    """The origin that a preflight from a foreign one is told of."""
    return shop.send("OPTIONS", "/products", headers=PREFLIGHT).headers.get("access-control-allow-origin")


def new_address(shop: Shop) -> bool:
    """Tell S02: each new value of the header is a new quota."""
    answers = [shop.send("GET", "/products", headers={"X-Forwarded-For": f"1.1.1.{number}"}) for number in range(2)]
    return answers[0].headers["ratelimit-remaining"] == answers[1].headers["ratelimit-remaining"]


def calls(shop: Shop, by: Account, count: int, now_s: float = 0.0) -> list[int]:
    """Spend calls of one operation at one instant and return their statuses."""
    limits = cast("MemoryLimits", shop.application.services.limits)
    limits._clock = lambda: now_s
    return [shop.send("POST", "/orders", by, json={"items": []}).status_code for _ in range(count)]


def admitted(statuses: list[int]) -> int:
    """How many were not turned away."""
    return sum(status != 429 for status in statuses)


def fixed_window(shop: Shop) -> bool:
    """Tell S46: two quotas pass within a moment."""
    buyer = shop.account()
    return admitted(calls(shop, buyer, 10, 3.9) + calls(shop, buyer, 10, 4.1)) == 20


def one_more(shop: Shop) -> bool:
    """Tell A8a: the eleventh of ten is admitted."""
    return admitted(calls(shop, shop.account(), 12)) == 11


def never_again(shop: Shop) -> bool:
    """Tell A8b: after a window full of refusals the next call is refused too."""
    buyer = shop.account()
    calls(shop, buyer, 10, 0.0)
    calls(shop, buyer, 10, 3.0)
    return admitted(calls(shop, buyer, 1, 5.0)) == 0


def remaining_before(shop: Shop) -> bool:
    """Tell A8c: the first call of ten leaves ten."""
    answer = shop.send("POST", "/orders", shop.account(), json={"items": []})
    return answer.headers["x-ratelimit-remaining"] == "10"


def left_of_reviews(shop: Shop, product_id: str) -> int:
    """What is left to a new caller of new reviews."""
    answer = shop.send("POST", f"/products/{product_id}/reviews", shop.account(), json={"rating": 5})
    return int(answer.headers["x-ratelimit-remaining"])


def shared_reviews(shop: Shop) -> bool:
    """Tell A8d: one caller's review takes from another's quota."""
    product_id = shop.product(shop.account("seller"))["id"]
    return left_of_reviews(shop, product_id) > left_of_reviews(shop, product_id)


def shared_tenants(shop: Shop) -> bool:
    """Tell E1a: a call in one tenant takes from the quota in another."""
    left = [
        int(shop.send("GET", "/products", headers={"X-Tenant-ID": name}).headers["x-ratelimit-remaining"])
        for name in ("beta", "alpha")
    ]
    return left[1] < left[0]


def sellers_exempt(shop: Shop) -> bool:
    """Tell A7a: a seller's answer counts nothing down."""
    return "ratelimit-limit" not in shop.send("GET", "/products", shop.account("seller")).headers


def colon_kept(shop: Shop) -> bool:
    """Tell A1a: a request id with a colon comes back."""
    return shop.send("GET", "/products", headers={"X-Request-ID": "a:b"}).headers["x-request-id"] == "a:b"


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S01": lambda shop: allowed_origin(shop) not in {None, "*"},
    "S02": new_address,
    "S46": fixed_window,
    "S50": lambda shop: allowed_origin(shop) == "*",
    "A1a": colon_kept,
    "A1b": lambda shop: "x-request-id" not in shop.send("GET", "/nope").headers,
    "A3a": lambda shop: "x-powered-by" in shop.send("GET", "/products").headers,
    "A7a": sellers_exempt,
    "A7b": lambda shop: int(shop.send("GET", "/products").headers["ratelimit-reset"]) > 1_000_000,
    "A11a": lambda shop: "error" not in shop.send("PUT", "/products").json(),
    "A8a": one_more,
    "A8b": never_again,
    "A8c": remaining_before,
    "A8d": shared_reviews,
    "E1a": shared_tenants,
}
