"""What shows a fault of which it takes several answers to see it."""

from __future__ import annotations

from tests.unit.harness.render.shelf import (
    DELETED,
    FOREIGN,
    GONE,
    LATER,
    MADE,
    MARK,
    NO,
    OLD,
    ONE,
    OTHER,
    OWN,
    READ,
    Shown,
    allowing,
    echo,
    items,
    keyed,
    nowhere,
    origin,
    said,
    step,
)
from tests.unit.harness.render.shown_lists import LISTS

SEQUENCES = [
    *LISTS,
    Shown("cors.foreign-origin", "reflected", "list", [origin("simple", FOREIGN)], [allowing(FOREIGN)],
          [allowing(None)]),
    Shown("cors.foreign-origin", "another's", "list", [origin("simple", FOREIGN)], [allowing(OWN)], [allowing(None)]),
    Shown("cors.any-origin", "", "list", [origin("preflight", FOREIGN)], [allowing("*")], [allowing(None)]),
    Shown("cors.refused", "simple", "list", [origin("simple", OWN)], [allowing(None)], [allowing(OWN)]),
    Shown(
        "cors.refused", "simple credentials", "list", [origin("simple", OWN)],
        [allowing(OWN)], [allowing(OWN, access_control_allow_credentials="true")],
    ),
    Shown(
        "cors.vary", "", "list", [origin("simple", OWN)],
        [allowing(OWN, vary="Accept")], [allowing(OWN, vary="Accept, Origin")],
    ),
    Shown("http.challenge", "", "list", [step("list", "answers")], [said(401)], [said(401, www_authenticate="Bearer")]),
    Shown("http.allow", "absent", "list", [step("list", "", method="PATCH")], [said(405)],
          [said(405, allow="GET, POST")]),
    Shown(
        "http.allow", "-POST +TRACE", "list", [step("list", "", method="PATCH")],
        [said(405, allow="GET, POST, TRACE")], [said(405, allow="GET, POST, HEAD")],
    ),
    Shown("http.content", "204", "del", [MADE, DELETED], [ONE, said(204, content_length="2")], [ONE, said(204)]),
    Shown(
        "http.location", "", "make", [step("make", "made"), nowhere("get", "followed", "wrong")],
        [said(201, None, location="/wrong/n1"), GONE],
        [said(201, None, location="n1"), lambda sent: READ if sent[-1]["path"] == "/n1" else GONE],
    ),
    Shown(
        "http.head", "etag", "head", [MADE, step("get", "got"), step("head", "head")],
        [ONE, said(200, None, etag="a"), said(200)], [ONE, said(200, None, etag="a"), said(200, None, etag="a")],
    ),
    Shown(
        "idempotency.many-effects", "again", "make", [keyed("together", "key-1"), keyed("again", "key-1")],
        [said(201, {"id": 1}), said(201, {"id": 2})], [said(201, {"id": 1}), said(201, {"id": 1})],
        seen="The successes name 2 things: 1, 2.",
    ),
    Shown(
        "idempotency.other-answer", "answer", "make", [keyed("first", "key-1"), keyed("again", "key-1")],
        [said(201, {"id": 1}), said(200, {"id": 1})], [said(201, {"id": 1}), said(201, {"id": 1})],
    ),
    Shown(
        "idempotency.other-answer", "header", "make", [keyed("first", "key-1"), keyed("again", "key-1")],
        [said(201), said(201)], [said(201), said(201, None, x_replayed="1")],
    ),
    Shown("idempotency.other-answer", "header", "make", [keyed("together", "k-1")], [said(201, x_replayed="1")], [ONE]),
    Shown(
        "idempotency.refused-again", "again", "make", [keyed("first", "key-1"), keyed("again", "key-1")],
        [ONE, NO], [ONE, ONE],
    ),
    Shown(
        "idempotency.other-body", "acted", "make", [keyed("first", "key-1"), keyed("other-body", "key-1")],
        [ONE, said(201, {"id": "n2"})], [ONE, said(422)],
    ),
    Shown(
        "idempotency.status", "other body", "make", [keyed("first", "key-1"), keyed("other-body", "key-1")],
        [ONE, said(409)], [ONE, said(422)],
    ),
    Shown("idempotency.status", "missing", "make", [step("make", "call|missing||a|one|")], [said(422)], [said(400)]),
    Shown("idempotency.status", "too-long", "make", [keyed("too-long", "k" * 41)], [said(400)], [said(414)]),
    Shown("idempotency.bad-key", "missing", "make", [step("make", "call|missing||a|one|")], [ONE], [said(400)]),
    Shown(
        "idempotency.shared-key", "another caller", "make", [keyed("first", "key-1"), keyed("other-caller", "key-1")],
        [ONE, ONE], [ONE, said(201, {"id": "n2"})],
    ),
    Shown(
        "idempotency.shared-key", "another caller refused", "make",
        [keyed("first", "key-1"), keyed("other-caller", "key-1")], [ONE, said(422)], [ONE, said(201, {"id": "n2"})],
    ),
    Shown(
        "idempotency.refusal", "poisoned", "make", [keyed("refused", "key-1"), keyed("after-refusal", "key-1")],
        [said(422), said(422)], [said(422), ONE],
    ),
    Shown(
        "idempotency.refusal", "forgotten", "make", [keyed("refused", "key-1"), keyed("after-refusal", "key-1")],
        [said(422), ONE], [said(422), said(422)],
    ),
    Shown(
        "owner.status", "existence", "put",
        [MADE, nowhere("put", "made-up-1:valid", "zz1"), step("put", "may-not:stranger"),
         nowhere("put", "made-up-2:valid", "zz2")],
        [ONE, said(404, {"code": "zz1"}), said(404, {"code": "n1", "why": "hers"}), said(404, {"code": "zz2"})],
        [ONE, said(404, {"code": "zz1"}), said(404, {"code": "n1"}), said(404, {"code": "zz2"})],
    ),
    Shown(
        "resource.not-listed", "", "list", [MADE, step("list", f"listed-later|{OLD}|1"),
        step("get", f"found-by-id|{OLD}")],
        [ONE, items("n2"), READ], [ONE, items("n2", "n1"), READ],
    ),
    Shown(
        "resource.hierarchy", "", "get", [MADE, step("get", "near"), step("get", "far")],
        [ONE, READ, READ], [ONE, READ, GONE],
    ),
    Shown(
        "delete.listed", "list", "del", [MADE, DELETED, step("list", "listed-after|list|1")],
        [ONE, said(204), items("n2", "n1")], [ONE, said(204), items("n2")],
    ),
    Shown(
        "delete.counted", "list", "del",
        [MADE, step("list", "counted|0"), DELETED, step("list", "counted-after|0")],
        [ONE, items("n1", "n2"), said(204), items("n1", "n2")], [ONE, items("n1", "n2"), said(204), items("n2")],
    ),
    Shown("delete.used", "make", "del", [MADE, DELETED, step("make", "used-after|make")], [ONE, said(204), ONE],
          [ONE, said(204), NO]),
    Shown(
        "delete.child", "book", "del", [MADE, step("get", "child-before|book"), DELETED,
        step("get", "child-after|book")],
        [ONE, READ, said(204), READ], [ONE, READ, said(204), GONE],
    ),
    Shown("delete.in-use", "", "del", [MADE, step("make", "child"), step("del", "refused|1")],
          [ONE, ONE, said(204)], [ONE, ONE, NO]),
    Shown(
        "delete.effect", "", "del",
        [MADE, step("get", "before|1"), step("del", "refused|1"), step("get", "kept|1"), step("get", "kept-again|1")],
        [ONE, READ, NO, OTHER, OTHER], [ONE, READ, NO, LATER, READ],
    ),
    Shown("delete.unique", "two", "del", [MADE, step("make", "taken", body={"code": "the-code-1"})], [ONE, ONE],
          [ONE, NO]),
    Shown(
        "delete.unique", "", "del", [MADE, DELETED, step("make", "taken-after", body={"code": "the-code-1"})],
        [ONE, said(204), NO], [ONE, said(204), ONE],
    ),
    Shown(
        "delete.restore", "", "del", [MADE, DELETED, step("put", "restored|1"), step("get", "shown|1")],
        [ONE, said(204), READ, GONE], [ONE, said(204), READ, READ],
    ),
    Shown(
        "tenant.canary", "shown", "list", [step("make", f"plant:{MARK}", body={"note": f"a {MARK}"}),
        step("list", "away:plain")],
        [ONE, echo], [ONE, items("n2")],
        seen=f"The tenant b was shown {MARK}, which stands in another tenant.",
    ),
    Shown(
        "tenant.canary", "shown", "list", [step("make", f"plant:{MARK}", body={"note": MARK}),
                                          step("list", "away:search", query=[["q", MARK]])],
        [ONE, items("n1")], [ONE, items("n2")], seen="The tenant b was shown old-id-1, which stands in another tenant.",
    ),
    Shown(
        "tenant.reached", "path", "get", [MADE, nowhere("get", "absent-1:path", "zz1"), step("get", "foreign:path")],
        [ONE, GONE, READ], [ONE, GONE, GONE], seen="It was answered 200; one that is nowhere 404.",
    ),
    Shown(
        "tenant.reached", "path", "del", [MADE, step("get", "before:path"), step("del", "foreign:path"),
        step("get", "after:path")],
        [ONE, READ, GONE, GONE], [ONE, READ, GONE, READ], seen="It was answered 404; afterwards the thing was gone.",
    ),
    Shown(
        "tenant.existence", "path", "get",
        [MADE, nowhere("get", "absent-1:path", "zz1"), step("get", "foreign:path"),
         nowhere("get", "absent-2:path", "zz2")],
        [ONE, GONE, said(403), GONE], [ONE, GONE, GONE, GONE],
    ),
    Shown("tenant.credentials", "other tenant", "list", [step("list", "other")], [items()], [said(403)]),
    Shown("tenant.status", "other tenant", "list", [step("list", "other")], [said(400)], [said(403)]),
    Shown("tenant.status", "unknown tenant", "list", [step("list", "unknown-1")], [said(401)], [said(404)]),
    Shown("tenant.unknown", "unknown tenant", "list", [step("list", "unknown-1")], [items()], [said(404)]),
    Shown("tenant.told", "pair X-Tenant and path", "list", [step("list", "own"),
          step("list", "pair:X-Tenant and path")],
          [items(), items()], [items(), NO]),
    Shown("tenant.told", "place X-Tenant", "list", [step("list", "own"), step("list", "place:X-Tenant")],
          [items(), GONE], [items(), items()]),
    Shown("tenant.told", "swap path and X-Tenant", "list", [step("list", "own"),
          step("list", "swap:path and X-Tenant")],
          [items(), items()], [items(), said(403)]),
    Shown(
        "writes.refused-effect", "", "put",
        [MADE, step("get", "before"), step("put", "refused /x"), step("get", "after"), step("get", "again")],
        [ONE, READ, said(422), OTHER, OTHER], [ONE, READ, said(422), LATER, READ], seen="1 writes were refused (422).",
    ),
    Shown(
        "writes.refused-made", "", "make", [step("make", "refused /name x", body={"name": MARK}),
        step("list", "listed 1")],
        [said(422), echo], [said(422), items("n2")],
    ),
    Shown(
        "writes.number", "/price", "make", [step("make", "made /price", body={"price": 2**53 + 1}),
        step("get", "kept e1 /price")],
        [ONE, said(200, {"price": 2**53})], [ONE, said(200, {"price": 2**53 + 1})],
    ),
    Shown(
        "writes.text", "/name", "make", [step("make", "made texts", body={"name": f"Zoë {MARK}"}),
        step("get", "kept-texts e1")],
        [ONE, said(200, {"name": "Zo?"})], [ONE, echo],
    ),
    Shown(
        "writes.put-again", "", "put",
        [MADE, step("put", "put"), step("get", "shown"), step("put", "put-again"), step("get", "shown-again")],
        [ONE, READ, READ, READ, OTHER], [ONE, READ, READ, READ, LATER], seen="After the second /price had changed.",
    ),
    Shown("writes.put-again", "refused", "put", [MADE, step("put", "put"), step("put", "put-again")],
          [ONE, READ, said(400)], [ONE, READ, READ]),
    Shown(
        "writes.put-replaces", "", "put",
        [MADE, step("put", "put", body={"price": 3, "id": "x"}), step("put", "put-less", body={"id": "x"}),
         step("get", "shown-less")],
        [ONE, READ, READ, READ], [ONE, READ, READ, said(200, {"id": "x", "price": None})],
         seen="price stayed as before.",
    ),
]  # fmt: skip
