"""The cookies of a browser's login (RFC 6265): `session` holds the access token, `csrf` its forgery token."""

from __future__ import annotations

from reference_impl.identity import csrf

SESSION = "session"
CSRF = "csrf"
STATE = "oauth"


def read(header: str, name: str) -> str | None:
    """Return a cookie's value from a Cookie header, the first where several have the name."""
    for part in header.split(";"):
        key, equals, value = part.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return None


def issue(key: str, session_id: str, token: str, life_s: int, *, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that set both cookies for `life_s` seconds."""
    return (
        _set(SESSION, token, life_s, secure=secure, hidden=True),
        _set(CSRF, csrf.make(key, session_id), life_s, secure=secure, hidden=False),
    )


def clear(*, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that remove both cookies."""
    return (_set(SESSION, "", 0, secure=secure, hidden=True), _set(CSRF, "", 0, secure=secure, hidden=False))


def issue_state(state: str, life_s: int, *, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the header that binds a login by the provider to the browser that began it."""
    return (_set(STATE, state, life_s, secure=secure, hidden=True),)


def clear_state(*, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the header that removes it."""
    return (_set(STATE, "", 0, secure=secure, hidden=True),)


def _set(name: str, value: str, life_s: int, *, secure: bool, hidden: bool) -> tuple[bytes, bytes]:
    """Return one Set-Cookie; `hidden` keeps it from scripts."""
    flags = ("; Secure" if secure else "") + ("; HttpOnly" if hidden else "")
    return b"set-cookie", f"{name}={value}; Path=/; Max-Age={life_s}; SameSite=Lax{flags}".encode()
