"""Reads one environment and keeps every problem: the value, the rule and the fix."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROFILES = ("development", "staging", "production", "verify")
TENANT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
KEY_LENGTH = 32
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_LONGEST_S = 31_536_000

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """Every problem of the environment, one a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Reader:
    """One environment under one profile; a default is given for each profile that has one."""

    environment: Mapping[str, str]
    profile: str
    problems: list[str]

    def read(
        self, name: str, parse: Callable[[str], T], rule: str, defaults: dict[str, T], *, secret: bool = False
    ) -> T:
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
            shown = "(hidden)" if secret else repr(text)
            self.problems.append(f"{name}={shown} is refused: {rule}. Correct it or unset it.")
            return next(iter(defaults.values()))

    def whole(self, name: str, low: int, high: int, defaults: dict[str, int]) -> int:
        """Read an integer within bounds."""
        return self.read(name, within(low, high), f"it must be a whole number from {low} to {high}", defaults)

    def seconds(self, name: str, defaults: dict[str, float]) -> float:
        """Read a duration in seconds."""
        return self.read(name, duration, f"it must be seconds, more than 0 and at most {_LONGEST_S}", defaults)

    def switch(self, name: str, defaults: dict[str, bool]) -> bool:
        """Read on or off."""
        return self.read(name, lambda text: one_of("on", "off")(text) == "on", "it must be on or off", defaults)

    def text(self, name: str, defaults: dict[str, str], *, secret: bool = False) -> str:
        """Read any text without a line break."""
        return self.read(name, line, "it must be one line of text", defaults, secret=secret)


def everywhere(value: T) -> dict[str, T]:
    """Return one default for every profile."""
    return dict.fromkeys(PROFILES, value)


def usually(value: T, *, verify: T) -> dict[str, T]:
    """Return one default for every profile but verify, which has its own."""
    return {**everywhere(value), "verify": verify}


def local(value: T) -> dict[str, T]:
    """Return a default where nothing is deployed: staging and production must be told."""
    return {"development": value, "verify": value}


def within(low: int, high: int) -> Callable[[str], int]:
    """Return the parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return parse


def duration(text: str) -> float:
    """Parse seconds."""
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= _LONGEST_S:
        raise ValueError(text)
    return float(text)


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return the parser of one of these words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return parse


def line(text: str) -> str:
    """Parse one line of text."""
    if re.search(r"[\0-\x1f\x7f]", text):
        raise ValueError(text)
    return text


def word(text: str) -> str:
    """Parse a short name."""
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", text):
        raise ValueError(text)
    return text


def folder(text: str) -> Path:
    """Parse a folder path."""
    if not text or "\0" in text:
        raise ValueError(text)
    return Path(text)


def key(text: str) -> str:
    """Parse a secret key."""
    if len(text) < KEY_LENGTH:
        raise ValueError(text)
    return text


def tenant(text: str) -> str:
    """Parse a tenant's name, or nothing."""
    if text and not TENANT_NAME.fullmatch(text):
        raise ValueError(text)
    return text


def domain(text: str) -> str:
    """Parse a domain, or nothing."""
    if text and not _DOMAIN.fullmatch(text):
        raise ValueError(text)
    return text


def networks(text: str) -> tuple[Network, ...]:
    """Parse addresses or networks between commas."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def origins(text: str) -> tuple[str, ...]:
    """Parse web origins between commas, such as https://shop.example.org."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+", origin) for origin in found):
        raise ValueError(text)
    return found


def url(*schemes: str) -> Callable[[str], str]:
    """Return the parser of a URL with one of these schemes, or nothing."""

    def parse(text: str) -> str:
        if text and not re.fullmatch(rf"(?:{'|'.join(map(re.escape, schemes))})://[^\s]+", text):
            raise ValueError(text)
        return text

    return parse


def dsn(text: str) -> str:
    """Parse the address of a Sentry project, which has its key and its number, or nothing."""
    parts = urlsplit(url("http", "https")(text))
    if text and not (parts.username and parts.hostname and parts.path.rpartition("/")[2].isdecimal()):
        raise ValueError(text)
    return text
