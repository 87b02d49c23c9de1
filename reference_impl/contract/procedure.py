"""A procedure: declared once, served as REST and as RPC, and rendered into the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from reference_impl.errors import ApiError, Code, not_found, unauthorized

if TYPE_CHECKING:
    from reference_impl.data.database import Database
    from reference_impl.identity.passwords import Passwords
    from reference_impl.identity.provider import Provider
    from reference_impl.identity.tokens import Identity, Tokens
    from reference_impl.objects.store import Objects
    from reference_impl.pictures import Pictures
    from reference_impl.realtime.feeds import Feeds
    from reference_impl.settings import Settings
    from reference_impl.stores.bus import Bus
    from reference_impl.stores.cache import Cache
    from reference_impl.stores.limits import Limits

B = TypeVar("B")
Q = TypeVar("Q")
Limit = Literal["list", "get", "create", "update", "delete", "upload", "stream", "register", "login", "refresh"]
Headers = tuple[tuple[bytes, bytes], ...]
PREFIX = "/api/v1"
"""What stands before the path of a procedure."""


@dataclass(frozen=True, slots=True)
class Services:
    """What procedures work with, one set a process."""

    settings: Settings
    limits: Limits
    cache: Cache
    bus: Bus
    tokens: Tokens
    passwords: Passwords
    objects: Objects
    feeds: Feeds
    pictures: Pictures
    provider: Provider | None = None
    """Who signs people in by OpenID Connect, where the settings name somebody."""


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One call of a procedure, checked against its declaration."""

    body: B
    query: Q
    path: dict[str, str]
    headers: dict[str, str]
    caller: Identity | None
    database: Database
    services: Services
    tenant: str
    address: str
    base: str
    """What stands before /api/v1 for this client: empty or /t/{tenant}."""
    secure: bool = False
    """Whether the client came over https."""

    @property
    def identity(self) -> Identity:
        """The caller of a procedure that asks for one."""
        if self.caller is None:
            raise unauthorized("Sign in first.")
        return self.caller

    def location(self, path: str) -> tuple[bytes, bytes]:
        """Return the header that says where this client finds what stands at `path`, under /api/v1."""
        return (b"location", f"{self.base}{PREFIX}{path}".encode())


@dataclass(frozen=True, slots=True)
class Reply:
    """What a procedure answers beside its status."""

    value: Any = None
    headers: Headers = ()


Handler = Callable[[Call[Any, Any]], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may: `roles` empty means anyone, `signed-in` means any identity."""

    roles: tuple[str, ...] = ()
    by_key: bool = True
    """Whether an API key will do; else it must be a session."""
    hidden: bool = False
    """Whether others are told 404, since they may not even see it."""

    @property
    def open(self) -> bool:
        """Whether no identity is asked for."""
        return not self.roles

    def admits(self, roles: frozenset[str]) -> bool:
        """Say whether an identity with these roles may."""
        return "signed-in" in self.roles or not roles.isdisjoint(self.roles)

    def admit(self, caller: Identity | None, *, writes: bool) -> None:
        """Pass who may; UNAUTHORIZED for nobody, FORBIDDEN or NOT_FOUND for others."""
        if self.open:
            return
        if caller is None:
            raise unauthorized("Sign in first.")
        if not self.admits(caller.roles):
            if self.hidden:
                raise not_found("path")
            raise ApiError("FORBIDDEN", f"This is for the roles: {', '.join(self.roles)}.")
        if caller.scopes is not None and not self.by_key:
            raise ApiError("FORBIDDEN", "An API key will not do here: log in.")
        if caller.scopes is not None and writes and "write" not in caller.scopes:
            raise ApiError("FORBIDDEN", "This API key reads only.")


ANYONE = Access()
SIGNED_IN = Access(("signed-in",))
IN_SESSION = Access(("signed-in",), by_key=False)
SELLER = Access(("seller", "admin"))
ADMIN = Access(("admin",))
HIDDEN = Access(("admin",), hidden=True)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One operation of the API. `path` stands under /api/v1; `input`, `query`, `output` are msgspec structs."""

    id: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    summary: str
    handler: Handler
    access: Access
    limit: Limit
    description: str = ""
    """What the summary does not say and a client needs; in the document only."""
    input: Any = None
    query: Any = None
    output: Any = None
    status: int = 200
    errors: tuple[Code, ...] = ()
    request_headers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Header name to its JSON Schema and description."""
    response_headers: tuple[str, ...] = ()
    """Names of components.headers that stand on the successful response."""
    links: tuple[str, ...] = ()
    """Procedures that take this one's /id as their path parameter."""
    promises: dict[str, Any] = field(default_factory=dict)
    """Further `x-promises`; roles and rate limit are derived."""
    cached: str = ""
    """The family of lists that the output is kept under for a while; only for what anyone may see alike."""
    changes: tuple[str, ...] = ()
    """The families of lists that a call changes: from its answer on, nobody is shown them as they were before."""
    partial: bool = False
    """Whether the body must name at least one member."""
    shows: dict[str, Any] = field(default_factory=dict)
    """Members that the example of the answer has otherwise than its type's; None leaves one out."""
    multipart: bool = False
    """Whether the body is multipart/form-data; members of type Upload are its files."""
    encoding: dict[str, str] = field(default_factory=dict)
    """The media types that a file of a multipart body may have, by its member's name."""
    stream: bool = False
    """Whether the reply's value is an async iterator of Event whose data are of the type `output`."""
