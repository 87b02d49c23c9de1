"""Posts: who sees a draft, who changes and publishes it, and what is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Account, Shop


def draft(shop: Shop, author: Account, title: str = "On bowls") -> str:
    """The path of a new draft."""
    answer = shop.send("POST", "/posts", author, json={"title": title, "content": "How one is turned."})
    assert answer.status_code == 201, answer.text
    assert "publishedAt" not in answer.json()
    assert answer.headers["location"] == f"/api/v1/posts/{answer.json()['id']}"
    return f"/posts/{answer.json()['id']}"


def listed(shop: Shop, query: str = "") -> dict[str, Any]:
    """A page as nobody sees it."""
    answer = shop.send("GET", f"/posts{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def statuses(shop: Shop, path: str, by: Account | None) -> list[int]:
    """What get, update, publish and delete answer, in this order."""
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", path, {}),
        ("PATCH", path, {"json": {"title": "Mine"}}),
        ("PUT", f"{path}/publish", {}),
        ("DELETE", path, {}),
    ]
    return [shop.send(method, target, by, **options).status_code for method, target, options in calls]


def test_a_draft_is_not_there_for_others(shop: Shop) -> None:
    """Nobody and strangers get 404 from everything; an admin sees it and may delete it, not change or publish it."""
    author, stranger = shop.account(), shop.account()
    path = draft(shop, author)
    assert statuses(shop, path, None) == [404, 401, 401, 401]
    assert statuses(shop, path, stranger) == [404] * 4
    assert listed(shop) == {"data": [], "pagination": {"total": 0, "limit": 20, "offset": 0}}
    assert shop.send("GET", path, author).json()["title"] == "On bowls"
    assert statuses(shop, path, shop.admin) == [200, 403, 403, 204]
    assert statuses(shop, path, author) == [404] * 4


def test_a_published_post_is_open_and_its_authors(shop: Shop) -> None:
    """All see it with its author; strangers and admins may not change it, an admin may delete it."""
    author, stranger = shop.account(), shop.account()
    path = draft(shop, author)
    published = shop.send("PUT", f"{path}/publish", author)
    assert published.status_code == 200
    assert shop.send("GET", path).json() == published.json() == listed(shop)["data"][0]
    assert (published.json()["authorId"], published.json()["authorName"]) == (author.id, "User 1")
    assert statuses(shop, path, stranger) == [200, 403, 403, 403]
    assert shop.send("PUT", f"{path}/publish", author).json() == published.json()
    assert shop.send("PATCH", path, author, json={"content": "Anew."}).json()["content"] == "Anew."
    assert statuses(shop, path, shop.admin) == [200, 403, 403, 204]
    assert listed(shop)["pagination"]["total"] == 0


def test_pages_hold_each_published_post_once(shop: Shop) -> None:
    """Walking by offset gives all, newest first, and every page tells the total."""
    author = shop.account()
    for number in range(5):
        path = draft(shop, author, f"Post {number}")
        shop.send("PUT", f"{path}/publish", author)
    draft(shop, author)
    pages = [listed(shop, f"?limit=2&offset={offset}") for offset in (0, 2, 4, 6)]
    assert [post["title"] for page in pages for post in page["data"]] == [f"Post {n}" for n in (4, 3, 2, 1, 0)]
    assert {page["pagination"]["total"] for page in pages} == {5}


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=1000000", "?limit=-1", "?offset=-5", "?limit=a"])
def test_bounds_of_a_page_hold(shop: Shop, query: str) -> None:
    """What is out of them is 400."""
    assert shop.send("GET", f"/posts{query}").status_code == 400


def test_drafts_go_with_their_author(shop: Shop) -> None:
    """When a user is deleted the drafts are hidden from all, the published posts stay."""
    author = shop.account()
    kept, hidden = draft(shop, author), draft(shop, author)
    shop.send("PUT", f"{kept}/publish", author)
    assert shop.send("DELETE", f"/users/{author.id}", author).status_code == 204
    assert shop.send("GET", hidden, shop.admin).status_code == 404
    assert shop.send("GET", kept).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"title": "A"}, {"title": "", "content": "B"}, {"title": "A", "content": "B", "publishedAt": "now"}]
)
def test_a_post_needs_title_and_content(shop: Shop, body: dict[str, str]) -> None:
    """And nothing beside them."""
    assert shop.send("POST", "/posts", shop.account(), json=body).status_code == 400
