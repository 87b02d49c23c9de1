"""Each planted defect shows, and the clean build lacks it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reference_impl.application import Parts
from reference_impl.defects.catalogue import DEFECTS, named
from reference_impl.defects.defect import EVERY_OPERATION
from reference_impl.defects.workers import SEVERAL
from tests.unit.reference_impl import (
    tellers_browsers,
    tellers_bulk,
    tellers_caches,
    tellers_callers,
    tellers_catalogue,
    tellers_edge,
    tellers_keys,
    tellers_lists,
    tellers_orders,
    tellers_owners,
    tellers_protocol,
    tellers_records,
    tellers_values,
)
from tests.unit.reference_impl.western import west

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shop


def create_status(shop: Shop) -> bool:
    """Tell S10a: create is not 201."""
    body = {"name": "A", "price": 1, "categoryId": shop.category()}
    return shop.send("POST", "/products", shop.account("seller"), json=body).status_code != 201


def create_location(shop: Shop) -> bool:
    """Tell S10b: create has no Location."""
    body = {"name": "A", "price": 1, "categoryId": shop.category()}
    return "location" not in shop.send("POST", "/products", shop.account("seller"), json=body).headers


def change_after_delete(shop: Shop) -> bool:
    """Tell S13: a deleted product changes."""
    seller = shop.account("seller")
    product = shop.product(seller)
    shop.send("DELETE", f"/products/{product['id']}", seller)
    changed = shop.send("PATCH", f"/products/{product['id']}", seller, json={"name": "B", "version": 1})
    return changed.status_code == 200


def lost_update(shop: Shop) -> bool:
    """Tell S14: two edits of one version both win."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    edits = [shop.send("PATCH", path, seller, json={"name": name, "version": 1}).status_code for name in "AB"]
    return edits == [200, 200]


def delete_twice(shop: Shop) -> bool:
    """Tell S15a: the second delete succeeds."""
    seller = shop.account("seller")
    path = f"/products/{shop.product(seller)['id']}"
    return [shop.send("DELETE", path, seller).status_code for _ in range(2)] == [204, 204]


def admin_deletes(shop: Shop) -> bool:
    """Tell S15b: an admin may not delete."""
    product = shop.product(shop.account("seller"))
    return shop.send("DELETE", f"/products/{product['id']}", shop.admin).status_code == 403


def two_shapes(shop: Shop) -> bool:
    """Tell S23: orders have an envelope of their own."""
    return not isinstance(shop.send("GET", "/orders").json()["error"], dict)


def client_price(shop: Shop) -> bool:
    """Tell S30: the client names the total."""
    product = shop.product(shop.account("seller"))
    answer = shop.order(shop.account(), (product["id"], 1), total=0)
    return answer.status_code == 201 and answer.json()["total"] == 0


def negative_quantity(shop: Shop) -> bool:
    """Tell S31a: stock rises by an order."""
    product = shop.product(shop.account("seller"))
    shop.order(shop.account(), (product["id"], -2))
    return shop.stock(product["id"]) == 7


def zero_quantity(shop: Shop) -> bool:
    """Tell S31b: nothing is ordered."""
    product = shop.product(shop.account("seller"))
    return shop.order(shop.account(), (product["id"], 0)).status_code == 201


def fraction(shop: Shop) -> bool:
    """Tell S31c: stock becomes a fraction."""
    product = shop.product(shop.account("seller"))
    shop.order(shop.account(), (product["id"], 1.5))
    return shop.stock(product["id"]) == 3.5


def same_product_twice(shop: Shop) -> bool:
    """Tell S31d: more is drawn than there was."""
    product = shop.product(shop.account("seller"))
    shop.order(shop.account(), (product["id"], 4), (product["id"], 4))
    return shop.stock(product["id"]) == -3


def overshoot(shop: Shop) -> bool:
    """Tell S32: concurrent requests pass the quota."""
    buyer = shop.account()
    answers = shop.together([("POST", "/orders", buyer, {"json": {"items": []}}) for _ in range(15)])
    return sum(answer.status_code != 429 for answer in answers) > 10


def refusal(shop: Shop) -> dict[str, str]:
    """Spend a quota and return the headers of the 429."""
    buyer = shop.account()
    answers = [shop.send("POST", "/orders", buyer, json={"items": []}) for _ in range(11)]
    assert answers[-1].status_code == 429
    return dict(answers[-1].headers)


def reset_now(shop: Shop) -> bool:
    """Tell S33a: a refused client is told that the window is over."""
    headers = refusal(shop)
    return int(headers["retry-after"]) > 1 and int(headers["x-ratelimit-reset"]) <= int(time.time())


def reset_off_by_the_zone(shop: Shop) -> bool:
    """Tell T01: west of UTC, the window seems to be over hours later than it is."""
    with west():
        return int(refusal(shop)["x-ratelimit-reset"]) > time.time() + 3600


def silent_refusal(shop: Shop) -> bool:
    """Tell S33b: the 429 has no headers."""
    return "x-ratelimit-limit" not in refusal(shop)


def no_retry_after(shop: Shop) -> bool:
    """Tell S33c: the 429 has no Retry-After."""
    return "retry-after" not in refusal(shop)


def anonymous_create(shop: Shop) -> bool:
    """Tell S34a: nobody makes a user."""
    body = {"email": "x@example.test", "password": "12345678", "name": "X"}
    return shop.send("POST", "/users", json=body).status_code == 201


def anonymous_patch(shop: Shop) -> bool:
    """Tell S34b: nobody changes a user."""
    return shop.send("PATCH", f"/users/{shop.account().id}", json={"name": "X"}).status_code == 200


def anonymous_delete(shop: Shop) -> bool:
    """Tell S34c: nobody deletes a user."""
    return shop.send("DELETE", f"/users/{shop.account().id}").status_code == 204


def listing(query: str, status: int) -> Callable[[Shop], bool]:
    """Return the teller for a list of users that answers this status."""
    return lambda shop: shop.send("GET", f"/users?{query}", shop.admin).status_code == status


def anonymous_bulk(shop: Shop) -> bool:
    """Tell S38a: nobody makes users."""
    row = {"email": "a@example.test", "password": "12345678", "name": "A"}
    return shop.send("POST", "/bulk/users", json={"users": [row]}).status_code == 200


def uncapped_posts(shop: Shop) -> bool:
    """Tell S43: a limit of a million is served."""
    return shop.send("GET", "/posts?limit=1000000").status_code == 200


def draft_told(shop: Shop) -> bool:
    """Tell S48: a stranger is told that the draft is there."""
    post = shop.send("POST", "/posts", shop.account(), json={"title": "A", "content": "B"}).json()
    return shop.send("PUT", f"/posts/{post['id']}/publish", shop.account()).status_code == 403


def admin_limited(shop: Shop) -> bool:
    """Tell S03a: an admin's answers count down a quota."""
    return "ratelimit-remaining" in shop.send("GET", "/admin/stats", shop.admin).headers


def shared_quota(shop: Shop) -> bool:
    """Tell S03b: one user's call counts against another's."""
    one, other = shop.account(), shop.account()
    shop.send("GET", "/auth/me", one)
    left = [int(shop.send("GET", "/auth/me", who).headers["ratelimit-remaining"]) for who in (one, other)]
    return left[1] < left[0]


def strange_image(shop: Shop) -> bool:
    """Tell S17: a stranger's picture is taken as far as its bytes are read."""
    product = shop.product(shop.account("seller"))
    file = {"files": {"image": ("a.png", b"no picture", "image/png")}}
    return shop.send("POST", f"/products/{product['id']}/images", shop.account("seller"), **file).status_code != 403


def bad_token(shop: Shop, header: str) -> int:
    """The status of an open list with an Authorization header."""
    return shop.send("GET", "/products", headers={"Authorization": header}).status_code


def bad_is_nobody(shop: Shop) -> bool:
    """Tell S24a: a made-up token lists products."""
    return bad_token(shop, "Bearer made-up") == 200


def no_scheme(shop: Shop) -> bool:
    """Tell S24b: a bare token is enough."""
    return bad_token(shop, shop.admin.token) == 200


def one_role_only(shop: Shop) -> bool:
    """Tell S25: an admin, who is a user too, is refused here and nowhere else."""
    stats, audit = (shop.send("GET", f"/admin/{name}", shop.admin).status_code for name in ("stats", "audit"))
    return (stats, audit) == (403, 200)


def hash_shown(shop: Shop) -> bool:
    """Tell S45: a user's password hash is answered."""
    return "passwordHash" in shop.send("GET", f"/users/{shop.account().id}", shop.admin).json()


def list_of_another(shop: Shop) -> bool:
    """Tell S06: one tenant's list is answered in another."""
    shop.product(shop.account("seller"))
    mine, theirs = (shop.send("GET", "/products", headers={"X-Tenant-ID": name}).json() for name in ("alpha", "beta"))
    return bool(mine["items"]) and theirs == mine


def token_of_another(shop: Shop) -> bool:
    """Tell S28: a token of one tenant is let into another."""
    return shop.send("GET", "/admin/stats", shop.admin, headers={"X-Tenant-ID": "beta"}).status_code == 200


def made_at_sight(shop: Shop) -> bool:
    """Tell S51: a tenant that nobody made has an empty list."""
    return shop.send("GET", "/products", headers={"X-Tenant-ID": "nowhere"}).status_code == 200


TELLERS: dict[str, Callable[[Shop], bool]] = {
    "S10a": create_status,
    "S10b": create_location,
    "S13": change_after_delete,
    "S14": lost_update,
    "S15a": delete_twice,
    "S15b": admin_deletes,
    "S23": two_shapes,
    "S30": client_price,
    "S31a": negative_quantity,
    "S31b": zero_quantity,
    "S31c": fraction,
    "S31d": same_product_twice,
    "S32": overshoot,
    "S33a": reset_now,
    "S33b": silent_refusal,
    "S33c": no_retry_after,
    "S34a": anonymous_create,
    "S34b": anonymous_patch,
    "S34c": anonymous_delete,
    "S35a": listing("limit=-1", 200),
    "S35b": listing("limit=abc", 500),
    "S35c": listing("offset=-5", 200),
    "S38a": anonymous_bulk,
    "S43": uncapped_posts,
    "S48": draft_told,
    "T01": reset_off_by_the_zone,
    **tellers_browsers.TELLERS,
    **tellers_bulk.TELLERS,
    **tellers_callers.TELLERS,
    **tellers_catalogue.TELLERS,
    **tellers_edge.TELLERS,
    **tellers_keys.TELLERS,
    **tellers_lists.TELLERS,
    **tellers_orders.TELLERS,
    **tellers_owners.TELLERS,
    **tellers_records.TELLERS,
    **tellers_values.TELLERS,
    **tellers_caches.TELLERS,
    **tellers_protocol.TELLERS,
    "S03a": admin_limited,
    "S03b": shared_quota,
    "S17": strange_image,
    "S24a": bad_is_nobody,
    "S24b": no_scheme,
    "S25": one_role_only,
    "S45": hash_shown,
    "S06": list_of_another,
    "S28": token_of_another,
    "S51": made_at_sight,
}


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("defect_id", TELLERS)
def test_a_defect_shows_where_it_is_planted_and_nowhere_else(open_shop: Callable[..., Shop], defect_id: str) -> None:
    """The wrong behaviour is seen with the defect planted and not in the clean build."""
    tells = TELLERS[defect_id]
    assert tells(open_shop(named(defect_id).plant(Parts())))
    assert not tells(open_shop())


def test_every_defect_has_a_teller_and_names_real_operations() -> None:
    """No defect is listed that no test has seen, and each names codes and operations.

    What shows between two workers alone is seen in `test_defects_between_workers.py`.
    """
    assert sorted(TELLERS) == sorted(defect.id for defect in DEFECTS if defect.profile != SEVERAL)
    for defect in DEFECTS:
        assert defect.codes
        assert set(defect.operations) <= set(EVERY_OPERATION)


def test_the_list_command_prints_what_the_prover_reads() -> None:
    """`defects list` prints id, title, profile, codes and operations of each defect as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "reference_impl.defects", "list"], capture_output=True, check=True, text=True
    )
    rows = json.loads(done.stdout)
    assert [row["id"] for row in rows] == [defect.id for defect in DEFECTS]
    assert {tuple(row) for row in rows} == {("id", "title", "profile", "codes", "operations")}


def test_an_unknown_defect_is_refused_with_the_known_ones() -> None:
    """A wrong id says which there are."""
    with pytest.raises(ValueError, match="S10a"):
        named("S99")
