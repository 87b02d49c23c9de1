"""Settings from the environment, checked all at once: every problem names the value, the rule and the fix."""

from __future__ import annotations

import ipaddress
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROFILES = ("development", "production", "verify")
TENANT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_KEY_LENGTH = 32

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """Every problem of the environment, one a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Quotas:
    """Admissions a window for each class of procedure."""

    list: int
    get: int
    create: int
    update: int
    delete: int
    register: int
    login: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process runs with."""

    profile: str
    data: Path
    token_key: str
    token_life_s: int
    default_tenant: str
    base_domain: str
    trusted_proxies: tuple[Network, ...]
    body_limit_bytes: int
    global_quota: int
    global_window_s: float
    procedure_window_s: float
    quotas: Quotas
    login_failures: int
    login_failure_window_s: float
    argon2_time_cost: int
    argon2_memory_kib: int
    sqlite_synchronous: str
    request_log: bool


@dataclass(slots=True)
class _Reader:
    """Reads one environment and keeps what is wrong with it."""

    environment: Mapping[str, str]
    profile: str
    problems: list[str]

    def read(self, name: str, parse: Callable[[str], T], rule: str, defaults: dict[str, T]) -> T:
        """Return the value of `name`, or the profile's default; a profile without one makes the setting required."""
        text = self.environment.get(name)
        if text is None:
            if self.profile in defaults:
                return defaults[self.profile]
            self.problems.append(f"{name} is missing: {rule}. Set it, the profile {self.profile} has no default.")
            return next(iter(defaults.values()))
        try:
            return parse(text)
        except ValueError:
            shown = "(hidden)" if name == "API_TOKEN_KEY" else repr(text)
            self.problems.append(f"{name}={shown} is refused: {rule}. Correct it or unset it.")
            return next(iter(defaults.values()))

    def whole(self, name: str, low: int, high: int, defaults: dict[str, int]) -> int:
        """Read an integer within bounds."""
        return self.read(name, _within(low, high), f"it must be a whole number from {low} to {high}", defaults)

    def seconds(self, name: str, defaults: dict[str, float]) -> float:
        """Read a duration in seconds."""
        return self.read(name, _duration, "it must be seconds, more than 0 and at most 86400", defaults)


def load(environment: Mapping[str, str]) -> Settings:
    """Read every setting; SettingsError with all problems when one is wrong or unknown."""
    profile = environment.get("API_PROFILE", "development")
    problems: list[str] = []
    if profile not in PROFILES:
        problems.append(f"API_PROFILE={profile!r} is refused: it must be one of {', '.join(PROFILES)}. Correct it.")
        profile = "development"
    reader = _Reader(environment, profile, problems)
    settings = Settings(profile=profile, **_storage(reader), **_edge(reader), **_limits(reader), **_hashing(reader))
    known = _known_names()
    problems += [
        f"{name} is not a setting: the prefix API_ is ours. Remove it or correct the name."
        for name in sorted(environment)
        if name.startswith("API_") and name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return settings


def _everywhere(value: T) -> dict[str, T]:
    return dict.fromkeys(PROFILES, value)


def _but_production(value: T) -> dict[str, T]:
    return {"development": value, "verify": value}


def _storage(reader: _Reader) -> dict[str, Any]:
    return {
        "data": reader.read("API_DATA", _folder, "it must be a folder path", _but_production(Path("data"))),
        "token_key": reader.read(
            "API_TOKEN_KEY",
            _key,
            f"it must have at least {_KEY_LENGTH} characters",
            _but_production(secrets.token_hex(_KEY_LENGTH)),
        ),
        "token_life_s": reader.whole("API_TOKEN_LIFE_S", 1, 86400, _everywhere(900)),
        "sqlite_synchronous": reader.read(
            "API_SQLITE_SYNCHRONOUS",
            _one_of("FULL", "NORMAL"),
            "it must be FULL or NORMAL",
            {"development": "NORMAL", "verify": "NORMAL", "production": "FULL"},
        ),
    }


def _edge(reader: _Reader) -> dict[str, Any]:
    no_proxy: tuple[Network, ...] = ()
    return {
        "default_tenant": reader.read(
            "API_DEFAULT_TENANT",
            _tenant,
            "it must be a tenant's name (a-z, 0-9, -) or empty",
            {"development": "default", "production": "", "verify": "alpha"},
        ),
        "base_domain": reader.read(
            "API_BASE_DOMAIN", _domain, "it must be a domain such as api.example.org or empty", _everywhere("")
        ),
        "trusted_proxies": reader.read(
            "API_TRUSTED_PROXIES", _networks, "it must be addresses or networks between commas", _everywhere(no_proxy)
        ),
        "body_limit_bytes": reader.whole("API_BODY_LIMIT_BYTES", 1024, 100_000_000, _everywhere(1_048_576)),
        "request_log": reader.read("API_REQUEST_LOG", _switch, "it must be on or off", _everywhere(value=True)),
    }


def _limits(reader: _Reader) -> dict[str, Any]:
    window = {"development": 60.0, "production": 60.0, "verify": 4.0}

    def quota(name: str, usual: int, verify: int | None = None) -> int:
        defaults = {"development": usual, "production": usual, "verify": usual if verify is None else verify}
        return reader.whole(f"API_QUOTA_{name.upper()}", 1, 1_000_000, defaults)

    return {
        "global_quota": reader.whole(
            "API_GLOBAL_QUOTA", 1, 1_000_000, {"development": 100, "production": 100, "verify": 600}
        ),
        "global_window_s": reader.seconds(
            "API_GLOBAL_WINDOW_S", {"development": 900.0, "production": 900.0, "verify": 4.0}
        ),
        "procedure_window_s": reader.seconds("API_PROCEDURE_WINDOW_S", window),
        "quotas": Quotas(
            list=quota("list", 100),
            get=quota("get", 200),
            create=quota("create", 10),
            update=quota("update", 50),
            delete=quota("delete", 20),
            register=quota("register", 10, verify=300),
            login=quota("login", 30, verify=300),
        ),
        "login_failures": reader.whole(
            "API_LOGIN_FAILURES", 1, 100_000, {"development": 10, "production": 10, "verify": 300}
        ),
        "login_failure_window_s": reader.seconds(
            "API_LOGIN_FAILURE_WINDOW_S", {"development": 900.0, "production": 900.0, "verify": 4.0}
        ),
    }


def _hashing(reader: _Reader) -> dict[str, Any]:
    # RFC 9106's second recommendation outside verify, where thousands of users are made.
    return {
        "argon2_time_cost": reader.whole(
            "API_ARGON2_TIME_COST", 1, 100, {"development": 3, "production": 3, "verify": 1}
        ),
        "argon2_memory_kib": reader.whole(
            "API_ARGON2_MEMORY_KIB", 64, 4_194_304, {"development": 65536, "production": 65536, "verify": 1024}
        ),
    }


def _known_names() -> frozenset[str]:
    """Return every name `load` asks for, by asking for them."""
    asked: list[str] = ["API_PROFILE"]

    class Asked(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return default

    reader = _Reader(Asked(), "verify", [])
    for part in (_storage, _edge, _limits, _hashing):
        part(reader)
    return frozenset(asked)


def _within(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return parse


def _duration(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= 86400:  # noqa: PLR2004 - one day
        raise ValueError(text)
    return float(text)


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return parse


def _switch(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _folder(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError(text)
    return Path(text)


def _key(text: str) -> str:
    if len(text) < _KEY_LENGTH:
        raise ValueError(text)
    return text


def _tenant(text: str) -> str:
    if text and not TENANT_NAME.fullmatch(text):
        raise ValueError(text)
    return text


def _domain(text: str) -> str:
    if text and not _DOMAIN.fullmatch(text):
        raise ValueError(text)
    return text


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
