"""The seeded catalogue: the same number gives the same rows, twice is once, and the API serves it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.commands import main
from reference_impl.contract.fields import UUID
from reference_impl.seed import drawing
from reference_impl.seed.writing import sow

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Shop


@given(st.integers(0, 50), st.integers(0, 100_000))
def test_a_product_is_drawn_from_its_number(seed: int, number: int) -> None:
    """Seed and number decide every value, whatever was drawn before; amounts and texts are within the API's bounds."""
    people = drawing.users(seed)
    one = drawing.product(seed, number, people)
    assert one == drawing.product(seed, number, drawing.users(seed))
    product_id, seller_id, name, slug, _, search, cents, discount, stock, *_ = one.product
    assert seller_id in {row[0] for row in people[: drawing.SELLERS]}
    assert name.casefold() in search
    assert slug.endswith(product_id[-12:])
    assert 0 < cents < 100_000_000
    assert 0 <= discount <= 100
    assert stock >= 0
    authors = [review[2] for review in one.reviews]
    assert len(set(authors)) == len(authors)


def test_ids_are_of_version_seven_and_differ() -> None:
    """They have the API's form, and those of other numbers and seeds are others."""
    people = drawing.users(1)
    ids = [drawing.product(seed, number, people).product[0] for seed in (1, 2) for number in range(200)]
    assert len(set(ids)) == 400
    assert all(re.fullmatch(UUID, product_id) for product_id in ids)
    assert {(product_id[14], product_id[19] in "89ab") for product_id in ids} == {("7", True)}
    assert ids[:200] == sorted(ids[:200])


def test_twice_is_once_and_more_adds_the_rest(shop: Shop) -> None:
    """A larger number adds what is missing, another seed adds its own, and categories made by hand are used."""
    category = shop.category("Bowls")
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    first = shop.runner.run(sow(database, 30, 1))
    assert (first["users"], first["categories"], first["products"]) == (120, 11, 30)
    assert set(shop.runner.run(sow(database, 30, 1)).values()) == {0}
    assert shop.runner.run(sow(database, 50, 1))["products"] == 20
    other = shop.runner.run(sow(database, 10, 2))
    assert (other["products"], other["categories"]) == (10, 0)
    assert shop.send("GET", "/products").json()["total"] == 60
    assert shop.send("GET", "/categories?limit=100").json()["total"] == 12
    bowls = shop.send("GET", f"/products?category={category}").json()
    assert bowls["total"] > 0


def test_the_api_serves_what_was_seeded(shop: Shop) -> None:
    """Each product has its reviews and images, is found by its name, and can be ordered."""
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert database is not None
    gained = shop.runner.run(sow(database, 20, 3))
    buyer = shop.account()
    items = shop.send("GET", "/products?limit=100").json()["items"]
    wholes = [shop.send("GET", f"/products/{item['id']}").json() for item in items]
    assert sum(len(whole["images"]) for whole in wholes) == gained["product_images"]
    reviews = [shop.send("GET", f"/products/{item['id']}/reviews").json()["total"] for item in items]
    assert sum(reviews) == gained["reviews"]
    assert items[0] in shop.send("GET", "/products", params={"search": items[0]["name"]}).json()["items"]
    in_stock = next(item for item in items if item["stock"])
    order = shop.order(buyer, (in_stock["id"], 1))
    assert order.json()["total"] == in_stock["finalPrice"]


def test_the_command_prints_what_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line a table; a tenant that is not there, and fewer than no products, are wrong use."""
    monkeypatch.setenv("API_DATA", str(tmp_path))
    monkeypatch.setenv("API_PROFILE", "verify")
    main(["tenant", "create", "alpha"])
    capsys.readouterr()
    main(["seed", "--products", "5"])
    assert "alpha: 5 products added" in capsys.readouterr().out.splitlines()
    main(["seed", "--products", "5", "--tenant", "alpha"])
    assert "alpha: 0 products added" in capsys.readouterr().out.splitlines()
    for wrong in (["seed", "--tenant", "nobody"], ["seed", "--products", "-1"]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
