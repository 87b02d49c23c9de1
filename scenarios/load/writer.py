"""Journeys of people who write: a post from its draft to its end, a review of something bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.load.journey import Route
from scenarios.load.request import CONFLICT, id_of, request

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit


def post(visit: Visit) -> Journey[None]:
    """Drafts a post, reads and mends it, publishes it, sees it among the others, and takes it back."""
    draft = {"title": "How a bowl is turned", "content": "Slowly, and from one piece."}
    made = id_of((yield request("posts.create", "POST", "/posts", visit.identity, draft)))
    if not made:
        return
    path = f"/posts/{made}"
    yield request("posts.get", "GET", path, visit.identity)
    yield request("posts.update", "PATCH", path, visit.identity, {"title": "How a bowl is turned by hand"})
    yield request("posts.publish", "PUT", f"{path}/publish", visit.identity)
    yield request("posts.list", "GET", "/posts?limit=20", visit.identity)
    yield request("posts.delete", "DELETE", path, visit.identity)


def review(visit: Visit) -> Journey[None]:
    """Reviews a product, reads the reviews there are, and takes the own one back; one that stands is an answer too."""
    products = visit.ground.facts["products"]
    if not products:
        yield request("products.list", "GET", "/products", visit.identity)
        return
    path = f"/products/{visit.random.choice(products)}/reviews"
    body, expected = {"rating": visit.random.randint(1, 5), "comment": "As told."}, frozenset({CONFLICT})
    made = id_of((yield request("reviews.create", "POST", path, visit.identity, body, expected=expected)))
    yield request("reviews.list", "GET", f"{path}?limit=20", visit.identity)
    if made:
        yield request("reviews.get", "GET", f"/reviews/{made}", visit.identity)
        yield request("reviews.delete", "DELETE", f"/reviews/{made}", visit.identity)


ROUTES = (Route("post", 2, post), Route("review", 2, review))
