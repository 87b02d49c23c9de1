"""`x-promises`: what the API promises beyond shapes, derived from declarations and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference_impl.contract.procedure import Procedure
    from reference_impl.settings.edge import Edge
    from reference_impl.stores.limits import Rule

JsonObject = dict[str, Any]

HEADERS: JsonObject = {
    "X-Request-ID": {"pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "X-Content-Type-Options": {"const": "nosniff"},
    "X-Frame-Options": {"const": "DENY"},
    "Referrer-Policy": {"const": "no-referrer"},
    "Content-Security-Policy": {},
    "Server": {"absent": True},
    "X-Powered-By": {"absent": True},
}
CREDENTIALS: JsonObject = {"invalid": 401, "kinds": ["expired", "revoked", "wrong-audience"]}
RESOURCES: JsonObject = {
    "category": {
        "create": "categories.create",
        "read": "categories.get",
        "list": "categories.list",
        "update": "categories.update",
        "delete": "categories.delete",
        "again": 404,
        "id": "/id",
        "items": "/items",
    },
    "product": {
        "create": "products.create",
        "read": "products.get",
        "list": "products.list",
        "update": "products.update",
        "delete": "products.delete",
        "again": 404,
        "id": "/id",
        "owner": "/sellerId",
        "version": "/version",
        "items": "/items",
    },
    "review": {
        "create": "reviews.create",
        "read": "reviews.get",
        "list": "reviews.list",
        "delete": "reviews.delete",
        "again": 404,
        "id": "/id",
        "owner": "/userId",
        "items": "/items",
    },
    "order": {
        "create": "orders.create",
        "read": "orders.get",
        "list": "orders.list",
        "id": "/id",
        "owner": "/userId",
        "items": "/items",
    },
    "post": {
        "create": "posts.create",
        "read": "posts.get",
        "update": "posts.update",
        "delete": "posts.delete",
        "again": 404,
        "id": "/id",
        "owner": "/authorId",
    },
    "key": {
        "create": "keys.create",
        "read": "keys.get",
        "list": "keys.list",
        "delete": "keys.delete",
        "again": 404,
        "id": "/id",
        "items": "/data",
    },
    "user": {
        "create": "users.create",
        "read": "users.get",
        "list": "users.list",
        "update": "users.update",
        "delete": "users.delete",
        "again": 404,
        "id": "/id",
        "owner": "/id",
        "items": "/data",
    },
}
# Where a call that changes a product, or the call that makes what it acts on, says which product.
_PRODUCT_AT = {
    "products.batchUpdate": "/ids/0",
    "orders.create": "/items/0/productId",
    "orders.cancel": "/items/0/productId",
    "reviews.delete": "path:id",
}


def of_document(global_rule: Rule, edge: Edge) -> JsonObject:
    """Return the defaults of every operation."""
    host = [{"in": "host", "base": edge.base_domain}] if edge.base_domain else []
    return {
        "tenant": {
            "told": [{"in": "header", "name": "X-Tenant-ID"}, *host, {"in": "path", "prefix": "/t/{tenant}"}],
            "unknown": 404,
            "other": 401,
            "conflict": "first",
        },
        "credentials": CREDENTIALS,
        "envelope": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}},
        "headers": HEADERS,
        "transports": [{"name": "rpc", "format": "orpc", "prefix": "/api/rpc"}],
        "http": {"max_body_bytes": edge.body_limit_bytes},
        "writes": {},
        "cors": {"origins": list(edge.cors_origins), "credentials": True},
        "schema": {},
        "leaks": {},
        "objective": {"p95_ms": 200, "error_ratio": 0.01},
        "rate-limit": [{**limit(global_rule), "headers": "draft-6", "reset": "delta", "exempt": ["admin"]}],
        "resource": RESOURCES,
    }


def of_procedure(procedure: Procedure, rule: Rule, edge: Edge) -> JsonObject:
    """Return what one operation promises: who may, how often, and what its declaration and the settings add."""
    upload = procedure.promises.get("upload")
    return {
        "roles": roles(procedure),
        "rate-limit": [{**limit(rule), "headers": "x-ratelimit", "reset": "epoch"}],
        **procedure.promises,
        **({"upload": {**upload, "max_bytes": edge.upload_limit_bytes}} if upload else {}),
    }


def cache(procedure: Procedure, procedures: Iterable[Procedure], list_age_s: float, *, tagged: bool) -> JsonObject:
    """Return how old an answer may be that is kept for a while or has an entity tag; nothing for any other."""
    family = procedure.cached or (procedure.id.split(".")[0] if tagged else "")
    if not family:
        return {}
    causes = [
        {"operation": other.id, **({"at": _PRODUCT_AT[other.id]} if other.id in _PRODUCT_AT else {})}
        for other in procedures
        if family in other.changes
    ]
    age_s = list_age_s if procedure.cached else 0
    etag = {"etag": True} if tagged else {}
    return {"cache": {"age_s": int(age_s) if age_s == int(age_s) else age_s, "invalidated_by": causes, **etag}}


def roles(procedure: Procedure) -> JsonObject:
    """Return who may."""
    access = procedure.access
    if access.open:
        return {"allow": ["anyone"]}
    return {"allow": list(access.roles), "anonymous": 401, "refused": 404 if access.hidden else 403}


def limit(rule: Rule) -> JsonObject:
    """Return a rule without its header style."""
    window = int(rule.window_s) if rule.window_s == int(rule.window_s) else rule.window_s
    return {
        "name": rule.name,
        "quota": rule.quota,
        "window_s": window,
        "scope": ["user", "address"],
        "per_tenant": True,
        "algorithm": "sliding",
    }
