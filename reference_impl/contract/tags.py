"""What the operations of each tag are about."""

from __future__ import annotations

TAGS: dict[str, str] = {
    "auth": "Accounts and logins: who one is.",
    "oauth": "Logins by an OpenID provider, in a browser.",
    "sessions": "Where the caller is logged in.",
    "keys": "API keys, for programs that speak for a user.",
    "users": "The people of the tenant.",
    "categories": "What products are sorted by.",
    "products": "What the shop sells.",
    "reviews": "What users think of products.",
    "orders": "What users buy; stock is drawn with the order.",
    "posts": "Articles, drafts until they are published.",
    "admin": "What admins alone are shown.",
    "settings": "The shop's own settings.",
    "events": "What happens, as it is committed.",
    "sockets": "The way to a WebSocket.",
}
