"""Image upload: who may, what is refused, what is stored, and what the product shows."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from reference_impl.contract.parts import DESCRIPTION
from reference_impl.errors import unavailable
from reference_impl.objects.folder import FolderObjects

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Account, Shop


def png(colour: str = "red", size: tuple[int, int] = (40, 20)) -> bytes:
    """A small picture."""
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def upload(shop: Shop, product_id: str, by: Account | None, data: bytes, kind: str = "image/png") -> httpx.Response:
    """Send a picture."""
    return shop.send("POST", f"/products/{product_id}/images", by, files={"image": ("a.png", data, kind)})


def stored(shop: Shop, url: str) -> Any:
    """What the store has under an address."""
    _, folder, tenant, name = url.split("/")
    assert folder == "files"
    return shop.runner.run(shop.application.services.objects.read(tenant, name))


def test_an_image_becomes_part_of_its_product(shop: Shop) -> None:
    """Both files are stored under names of their own; version, ETag, audit and event follow."""
    seller = shop.account("seller")
    product = shop.product(seller, images=["https://a.test/1"])
    answer = upload(shop, product["id"], seller, png())
    assert answer.status_code == 201, answer.text
    changed = answer.json()
    image = changed["images"][1]
    assert (changed["version"], answer.headers["etag"], answer.headers["location"]) == (2, '"2"', image["url"])
    assert shop.send("GET", f"/products/{product['id']}").json() == changed
    assert shop.send("GET", "/products").json()["items"][0]["images"] == changed["images"]
    full, thumbnail = stored(shop, image["url"]), stored(shop, image["thumbnailUrl"])
    assert Image.open(BytesIO(full.data)).size == (40, 20)
    assert Image.open(BytesIO(thumbnail.data)).size == (300, 300)
    assert full.content_type == thumbnail.content_type == "image/jpeg"
    served = shop.send("GET", f"http://shop.test{image['url']}")
    assert (served.status_code, served.content, served.headers["content-type"]) == (200, full.data, "image/jpeg")
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    events = shop.runner.run(database.query("SELECT type, data FROM events WHERE channel = 'products' ORDER BY id"))
    assert [kind for kind, _ in events] == ["created", "updated"]
    audit = shop.runner.run(database.query("SELECT actor_id, action FROM audit_log ORDER BY id"))
    assert audit[-1] == (seller.id, "products.uploadImage")


def test_a_name_is_given_once_as_the_document_says(shop: Shop) -> None:
    """The same picture twice, with its thumbnails, has four addresses, so that each can go with its own product."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    images = [image for _ in range(2) for image in upload(shop, product_id, seller, png()).json()["images"][-1:]]
    assert len({url for image in images for url in image.values()}) == 4
    assert "uploaded images, each under a name that is given once" in DESCRIPTION


def served(shop: Shop, product: dict[str, Any]) -> list[int]:
    """The status of each file of a product, pictures and thumbnails."""
    urls = [url for image in product["images"] for url in (image["url"], image["thumbnailUrl"])]
    return [shop.send("GET", f"http://shop.test{url}").status_code for url in urls]


def test_the_pictures_of_a_deleted_product_are_gone(shop: Shop) -> None:
    """Each address is 404 then; the same picture of another product, and its own thumbnail, are served on."""
    seller = shop.account("seller")
    ids = [shop.product(seller)["id"] for _ in range(2)]
    for product_id in (*ids, *ids):
        assert upload(shop, product_id, seller, png()).status_code == 201
    gone, other = [shop.send("GET", f"/products/{product_id}").json() for product_id in ids]
    assert (served(shop, gone), served(shop, other)) == ([200] * 4, [200] * 4)
    assert shop.send("DELETE", f"/products/{gone['id']}", seller).status_code == 204
    assert (served(shop, gone), served(shop, other)) == ([404] * 4, [200] * 4)


def test_an_address_that_a_seller_told_deletes_no_file(shop: Shop) -> None:
    """A product that is made with another's address among its images, and is deleted, leaves the other's file."""
    seller, rival = shop.account("seller"), shop.account("seller")
    product = shop.product(seller)
    kept = upload(shop, product["id"], seller, png()).json()
    named = shop.product(rival, images=[f"http://shop.test{kept['images'][0]['url']}"])
    assert shop.send("DELETE", f"/products/{named['id']}", rival).status_code == 204
    assert served(shop, kept) == [200] * 2


def test_what_an_outage_leaves_goes_with_retain(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, command: Callable[..., str]
) -> None:
    """The product is deleted though its files cannot be; they go once no upload may be under way; others stay."""
    seller = shop.account("seller")
    ids = [shop.product(seller)["id"] for _ in range(2)]
    gone, other = [upload(shop, product_id, seller, png()).json() for product_id in ids]

    async def away(*_: object) -> None:
        raise unavailable("The store of files does not answer.")

    with monkeypatch.context() as during:
        during.setattr(FolderObjects, "delete", away)
        assert shop.send("DELETE", f"/products/{gone['id']}", seller).status_code == 204
    assert served(shop, gone) == [200] * 2
    settings = shop.application.settings
    assert "alpha: 0 uploaded files deleted" in command(settings, "retain")
    later = time.time() + 3700
    monkeypatch.setattr("reference_impl.upkeep.time.time", lambda: later)
    assert "alpha: 2 uploaded files deleted" in command(settings, "retain")
    assert (served(shop, gone), served(shop, other)) == ([404] * 2, [200] * 2)


@pytest.mark.parametrize("answers", [True, False])
def test_a_store_that_does_not_delete_keeps_no_delete_waiting(
    open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    """Whether it refuses or hangs: it is asked for one file of four, and the committed delete is answered as such."""
    shop = open_shop(edge__timeout_s=2.0)
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    for _ in range(2):
        assert upload(shop, product_id, seller, png()).status_code == 201
    asked: list[str] = []

    async def away(_self: object, _tenant: str, name: str) -> None:
        asked.append(name)
        if not answers:
            await asyncio.Event().wait()
        raise unavailable("The store of files does not answer.")

    monkeypatch.setattr(FolderObjects, "delete", away)
    monkeypatch.setattr("reference_impl.procedures.product_writes._FILES_S", 0.05)
    assert shop.send("DELETE", f"/products/{product_id}", seller).status_code == 204
    assert len(asked) == 1
    assert shop.send("GET", f"/products/{product_id}").status_code == 404


def test_only_its_seller_and_admins_may(shop: Shop) -> None:
    """A stranger gets 403, nobody 401, and the product stays as it was; an admin may."""
    product = shop.product(shop.account("seller"))
    assert upload(shop, product["id"], shop.account("seller"), png()).status_code == 403
    assert upload(shop, product["id"], None, png()).status_code == 401
    assert shop.send("GET", f"/products/{product['id']}").json() == product
    assert upload(shop, product["id"], shop.admin, png()).status_code == 201


def test_a_deleted_product_takes_no_image_and_has_none(shop: Shop) -> None:
    """It is 404, and its image rows are gone."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    assert upload(shop, product_id, seller, png()).status_code == 201
    assert shop.send("DELETE", f"/products/{product_id}", seller).status_code == 204
    assert upload(shop, product_id, seller, png()).status_code == 404
    database = shop.runner.run(shop.application.tenants.get("alpha"))
    assert shop.runner.run(database.query("SELECT url FROM product_images")) == []


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"plain text", "image/png", 415),
        (b"<svg/>", "image/svg+xml", 415),
        (b"", "image/png", 415),
        (png()[:40], "image/png", 400),
        (png(), "text/plain", 201),
        (png() + b"<script>alert(1)</script>", "image/png", 201),
    ],
)
def test_the_bytes_decide_and_not_what_is_said_of_them(shop: Shop, data: bytes, kind: str, status: int) -> None:
    """Text called a picture is refused, a picture called text is taken."""
    seller = shop.account("seller")
    answer = upload(shop, shop.product(seller)["id"], seller, data, kind)
    assert answer.status_code == status, answer.text
    if status < 300:
        assert b"script" not in stored(shop, answer.json()["images"][0]["url"]).data


def test_a_body_that_is_no_form_with_one_file_is_refused(shop: Shop) -> None:
    """JSON is 415; a form without the file, with a text in its place, or with more, is 400."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}/images"
    picture = ("a.png", png(), "image/png")
    assert shop.send("POST", path, seller, json={"image": "x"}).status_code == 415
    for form in (
        {"files": {"other": picture}},
        {"files": {"image": (None, "text")}},
        {"files": [("image", picture), ("image", picture)]},
        {"files": {"image": picture}, "data": {"more": "1"}},
    ):
        assert shop.send("POST", path, seller, **form).status_code == 400, form


def test_ten_megabytes_and_not_one_byte_more(shop: Shop) -> None:
    """Bytes behind a picture count; one over the limit is 413 before anything is decoded."""
    seller = shop.account("seller")
    product_id = shop.product(seller)["id"]
    picture = png()
    padding = bytes(10 * 1024 * 1024 - len(picture))
    assert upload(shop, product_id, seller, picture + padding).status_code == 201
    assert upload(shop, product_id, seller, picture + padding + b"x").status_code == 413


def test_a_product_has_ten_images_at_most(shop: Shop) -> None:
    """Twelve at once: ten are kept in positions of their own, two are refused, and each raised the version once."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    pictures = [png("red", (10 + n, 10)) for n in range(12)]
    requests = [("POST", f"{path}/images", seller, {"files": {"image": ("a", data)}}) for data in pictures]
    answers = shop.together(requests)
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 2
    product = shop.send("GET", path).json()
    assert (len({image["url"] for image in product["images"]}), product["version"]) == (10, 11)


def test_files_of_a_tenant_are_its_own(open_shop: Callable[..., Shop]) -> None:
    """A picture stored for one tenant is not there for another."""
    shop = open_shop()
    seller = shop.account("seller")
    url = upload(shop, shop.product(seller)["id"], seller, png()).json()["images"][0]["url"]
    assert url.startswith("/files/alpha/")
    assert stored(shop, url) is not None
    assert stored(shop, url.replace("alpha", "beta")) is None


def test_a_store_that_fails_leaves_the_product_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its file an image is no row: 503 with the time to wait, and the version is the old one."""
    seller = shop.account("seller")
    product = shop.product(seller)

    def broken(_source: object, _target: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("reference_impl.objects.folder.os.replace", broken)
    answer = upload(shop, product["id"], seller, png())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "space" not in answer.text
    assert shop.send("GET", f"/products/{product['id']}").json() == product
