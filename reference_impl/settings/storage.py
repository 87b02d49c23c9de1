"""Where rows, shared counters and files live."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reference_impl.settings import reader as parse
from reference_impl.settings.reader import everywhere, local, usually

if TYPE_CHECKING:
    from reference_impl.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Storage:
    """Engines and their bounds. An empty `database_url` means SQLite files under `data`."""

    data: Path
    database_url: str = field(repr=False)
    pool_size: int
    """Connections a tenant and process."""
    database_connections: int
    """Connections of a process to all tenants."""
    pool_wait_s: float
    command_timeout_s: float
    sqlite_synchronous: str
    redis_url: str = field(repr=False)
    redis_timeout_s: float
    """Bound on everything that is asked of Redis."""
    redis_prefix: str
    """What all names of keys begin with, where several applications share a Redis."""
    retention_days: int
    """How long request logs and ended sessions are kept by the command `retain`."""
    event_retention_days: int
    """The same of events: from how long ago a reader can go on without a gap."""
    message_retention_days: int
    """The same of what was said in rooms."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Where uploaded files live: a folder under `data`, or a bucket when `s3_endpoint` is set."""

    s3_endpoint: str
    s3_bucket: str
    s3_region: str
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)


def storage(reader: Reader) -> Storage:
    """Read the section."""
    return Storage(
        data=reader.read("API_DATA", parse.folder, "it must be a folder path", local(Path("data"))),
        database_url=reader.read(
            "API_DATABASE_URL",
            parse.url("postgresql"),
            "it must be postgresql://user:password@host:port/database, or empty for SQLite files",
            everywhere(""),
            secret=True,
        ),
        pool_size=reader.whole("API_POOL_SIZE", 1, 200, everywhere(6)),
        database_connections=reader.whole("API_DATABASE_CONNECTIONS", 1, 1000, everywhere(20)),
        pool_wait_s=reader.seconds("API_POOL_WAIT_S", everywhere(5.0)),
        command_timeout_s=reader.seconds("API_COMMAND_TIMEOUT_S", everywhere(10.0)),
        sqlite_synchronous=reader.read(
            "API_SQLITE_SYNCHRONOUS",
            parse.one_of("FULL", "NORMAL"),
            "it must be FULL or NORMAL",
            {**everywhere("NORMAL"), "production": "FULL", "staging": "FULL"},
        ),
        redis_url=reader.read(
            "API_REDIS_URL",
            parse.url("redis", "rediss"),
            "it must be redis://host:port/number, or empty for one worker's own memory",
            everywhere(""),
            secret=True,
        ),
        redis_prefix=reader.read(
            "API_REDIS_PREFIX", parse.word, "it must be 1 to 64 of a-z, 0-9, - and _", everywhere("api")
        ),
        redis_timeout_s=reader.seconds("API_REDIS_TIMEOUT_S", everywhere(1.0)),
        retention_days=reader.whole("API_RETENTION_DAYS", 1, 3650, everywhere(30)),
        event_retention_days=reader.whole("API_EVENT_RETENTION_DAYS", 1, 3650, everywhere(30)),
        message_retention_days=reader.whole("API_MESSAGE_RETENTION_DAYS", 1, 3650, everywhere(365)),
    )


def objects(reader: Reader) -> Objects:
    """Read the section; an endpoint needs its bucket and its keys."""
    section = Objects(
        s3_endpoint=reader.read(
            "API_S3_ENDPOINT",
            parse.url("http", "https"),
            "it must be the URL of an S3-compatible service, or empty for a folder",
            everywhere(""),
        ),
        s3_bucket=reader.text("API_S3_BUCKET", everywhere("")),
        s3_region=reader.text("API_S3_REGION", everywhere("us-east-1")),
        s3_access_key=reader.text("API_S3_ACCESS_KEY", everywhere(""), secret=True),
        s3_secret_key=reader.text("API_S3_SECRET_KEY", everywhere(""), secret=True),
    )
    told = {
        "API_S3_BUCKET": section.s3_bucket,
        "API_S3_ACCESS_KEY": section.s3_access_key,
        "API_S3_SECRET_KEY": section.s3_secret_key,
    }
    if section.s3_endpoint:
        reader.problems += [
            f"{name} is missing: API_S3_ENDPOINT needs it. Set it, or unset API_S3_ENDPOINT."
            for name, value in told.items()
            if not value
        ]
    return section


@dataclass(frozen=True, slots=True)
class Cache:
    """How old a cached list may be, and the bounds of the tier in this process."""

    list_age_s: float
    near_entries: int
    near_age_s: float


def cache(reader: Reader) -> Cache:
    """Read the section."""
    return Cache(
        list_age_s=reader.seconds("API_LIST_AGE_S", usually(60.0, verify=2.0)),
        near_entries=reader.whole("API_CACHE_ENTRIES", 1, 1_000_000, everywhere(500)),
        near_age_s=reader.seconds("API_CACHE_AGE_S", everywhere(300.0)),
    )
