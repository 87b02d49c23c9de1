"""Writes a starting harness.toml: the target, the overlay, and how callers are had as far as the document shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.recognition.identities import PASSWORD
from harness.recognition.sign import comment, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.recognition.identities import Entrance


def written(  # noqa: PLR0913 - the parts of the file, all by name
    *, url: str, document: str, overlay: str, login: Entrance | None, register: Entrance | None, key: str, tenant: str
) -> str:
    """The file's text: TOML that `harness` takes; what is not known stands in it as a comment to fill in."""
    lines = ["# A start, written by `harness init`; relative paths are those of this file's folder.", ""]
    lines += ["[target]", f"url = {_value(url)}"] if url else ["# [target]", '# url = "http://127.0.0.1:8000"']
    lines += ["", "[contract]", *([f"file = {_value(document)}"] if document else [])]
    lines += [f"overlays = {_value([overlay])}", "", "[identities]"]
    lines.append('# roles = ["user", "admin"]      # every role that x-promises.roles names')
    lines.append('# default_role = "user"          # what registering gives')
    if key:
        lines.append(
            f'# present = {{ {quoted(key)} = "{{token}}" }}   # the document has this key; else a bearer token'
        )
    if tenant:
        lines += ["", "# [identities.tenants]", f"# header = {_value(tenant)}", '# names = ["one", "two"]']
    lines += _table("register", register, "no open operation that makes an account was recognised")
    lines += _table("login", login, "no operation that takes a password and answers a token was recognised")
    lines += ["", "# An account that is there already, by its login or by a token; the value is in the environment."]
    lines += ["# [[identities.known]]", '# name = "admin"', '# roles = ["admin"]']
    if login is not None:
        known = {name: value for name, value in login.body.items() if isinstance(value, str) and "{" in value}
        told = {name: "{env:ADMIN_PASSWORD}" if value == PASSWORD else value for name, value in known.items()}
        lines.append(f"# login = {_value({name: value.replace('{name}', 'admin') for name, value in told.items()})}")
    lines.append('# token = "{env:ADMIN_TOKEN}"')
    return "\n".join(lines) + "\n"


def _table(name: str, entrance: Entrance | None, absent: str) -> Iterator[str]:
    yield ""
    if entrance is None:
        yield f"# {absent}: write [identities.{name}] with operation, body{', token' if name == 'login' else ''}"
        return
    yield f"# {comment(entrance.evidence)}" + ("" if entrance.sure else "; mend it and take the # away")
    off = "" if entrance.sure else "# "
    yield f"{off}[identities.{name}]"
    yield f"{off}operation = {_value(entrance.operation)}"
    yield f"{off}body = {_value(entrance.body)}"
    if entrance.token:
        yield f"{off}token = {_value(entrance.token)}"
    if entrance.facts:
        yield f"{off}facts = {_value(entrance.facts)}"


def _value(value: Any) -> str:
    """A value of TOML on one line; a string as JSON writes it is one of TOML."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(name)} = {_value(item)}' for name, item in value.items())} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _key(name: Mapping[str, Any] | str) -> str:
    text = str(name)
    return text if text.replace("_", "").replace("-", "").isalnum() and text.isascii() else quoted(text)
