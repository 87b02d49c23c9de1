"""A request as one curl command that a shell understands; secrets stand as shell variables (`$TOKEN_ADMIN`)."""

from __future__ import annotations

import base64
import json
import re
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, urlsplit

from harness.mask import SECRET_HEADERS, is_secret_name
from harness.render.text import is_printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.exchange import Headers, Request

PATH_SAFE = "/!$&'()*+,;=:@-._~%"
MASKED = re.compile(r"\[masked(?: (\w+))?\]")
MEMBER = re.compile(r'"([^"\\]{1,60})"\s*:\s*"$')
CONTINUED = " \\\n  "
UNQUOTED = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def curl(
    request: Request,
    url: str,
    *,
    known: Mapping[str, str] = MappingProxyType({}),
    body_limit: int | None = None,
    broken: bool = False,
) -> str:
    """One command that sends the request to the origin of `url`; `broken` continues it on a line for each option.

    `known` are values that stand as shell variables, with the variable's name: whole path segments, query values,
    header values and JSON values. A body that cannot be shown as text goes through base64; one of more than
    `body_limit` bytes is read from the file `body`, which the reader takes from the history.
    """
    parts = [" ".join(["curl", *_method(request), _shell(_address(request, url, known))])]
    parts += [f"-H {_shell(_header(name, value, request, known))}" for name, value in _headers(request)]
    sent = {name.lower() for name, _ in request.headers}
    if request.body is not None and "content-type" not in sent:
        parts.append("-H Content-Type:")
    if "accept-encoding" in sent:
        parts.append("--compressed")
    if request.source:
        parts.append(f"--interface {_shell([request.source])}")
    before, body = _body(request, body_limit, known)
    return before + (CONTINUED if broken else " ").join(filter(None, [*parts, body]))


def variables(command: str) -> tuple[str, ...]:
    """The shell variables that a command of `curl` needs, in order."""
    return tuple(dict.fromkeys(re.findall(r'"\$([A-Z][A-Z0-9_]*)"', command)))


class _Variable(str):
    """The name of a shell variable among literal text."""

    __slots__ = ()


_Text = list[str]


def _shell(parts: _Text) -> str:
    """Literal text quoted for a POSIX shell, variables in double quotes."""
    joined = [part for part in _joined(parts) if part]
    return "".join(f'"${part}"' if isinstance(part, _Variable) else _quoted(part) for part in joined) or "''"


def _joined(parts: _Text) -> _Text:
    """The same with neighbouring literal parts as one, so that they are quoted together."""
    joined: _Text = []
    for part in parts:
        if joined and not isinstance(part, _Variable) and not isinstance(joined[-1], _Variable):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _quoted(text: str) -> str:
    return text if UNQUOTED.fullmatch(text) else shlex.quote(text)


def _name(*words: str) -> _Variable:
    text = re.sub(r"[^A-Z0-9]+", "_", "_".join(word for word in words if word).upper()).strip("_")
    return _Variable(text if text[:1].isalpha() else f"SECRET_{text}".rstrip("_"))


def _method(request: Request) -> list[str]:
    method = request.method
    flags = ["-i"]
    if method == "HEAD" and request.body is None:
        flags = ["-I"]
    elif method != "GET" or request.body is not None:
        flags += ["-X", _quoted(method)]
    if re.search(r"/\.\.?(/|$)", request.path):
        flags.append("--path-as-is")
    return flags


def _address(request: Request, url: str, known: Mapping[str, str]) -> _Text:
    """The URL as curl sends it unchanged: what its globbing or a shell would read is percent-encoded."""
    origin = urlsplit(url)
    parts: _Text = [f"{origin.scheme or 'http'}://{origin.netloc.rpartition('@')[2]}"]
    for number, segment in enumerate(request.path.split("/")):
        parts.append("/" if number else "")
        plain = unquote(segment)
        parts.append(_Variable(known[plain]) if plain in known else quote(segment, safe=PATH_SAFE, errors="replace"))
    for number, (name, value) in enumerate(request.query):
        parts.append(f"{'&' if number else '?'}{quote_plus(name, errors='replace')}=")
        if value in known:
            parts.append(_Variable(known[value]))
        elif MASKED.fullmatch(value):
            parts.append(_name(name if is_secret_name(name) else "SECRET", request.identity.name))
        else:
            parts.append(quote_plus(value, errors="replace"))
    return parts


def _headers(request: Request) -> Headers:
    """The headers that are sent: the identity's first; a true Content-Length is curl's own to write."""
    own = {name.lower() for name, _ in request.headers}
    carried = () if "authorization" in own else tuple(
        pair for pair in request.identity.headers if pair not in request.headers
    )  # fmt: skip
    length = str(len(request.body or b""))
    kept = [
        (name, value)
        for name, value in (*carried, *request.headers)
        if not (name.lower() == "content-length" and value == length)
    ]
    return tuple(kept)


def _header(name: str, value: str, request: Request, known: Mapping[str, str]) -> _Text:
    """`Name: value`; an empty header is sent for `Name;`, since `Name:` makes curl leave it out."""
    who = request.identity.name
    if not value:
        return [f"{name};"]
    if value in known:
        return [f"{name}: ", _Variable(known[value])]
    carried = (name, value) in request.identity.headers
    if name.lower() not in SECRET_HEADERS and not carried:
        return [f"{name}: ", *_unmasked(value, who)]
    scheme, _, rest = value.partition(" ")
    if name.lower() == "authorization" and rest:
        return [f"{name}: {scheme} ", _name("TOKEN", who)]
    return [f"{name}: ", _name("TOKEN" if name.lower() == "authorization" else name, who)]


def _unmasked(text: str, who: str) -> _Text:
    """The text with each masked value as a variable, named after the JSON member that holds it or after its kind."""
    parts: _Text = []
    start = 0
    for match in MASKED.finditer(text):
        before = text[start : match.start()]
        member = MEMBER.search(before)
        kind = match[1] or (member[1] if member else "secret")
        parts += [before, _name(_words(kind), who)]
        start = match.end()
    return [*parts, text[start:]]


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def _body(request: Request, limit: int | None, known: Mapping[str, str]) -> tuple[str, str]:
    """What comes before curl on its line, and curl's own option."""
    body = request.body
    if body is None:
        return "", ""
    if limit is not None and len(body) > limit:
        return "", "--data-binary @body"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if not is_printable(text):
        encoded = base64.b64encode(body).decode("ascii")
        return f"printf %s {_quoted(encoded)} | base64 -d | ", "--data-binary @-"
    parts: _Text = []
    for part in _with_known(text, known):
        parts += [part] if isinstance(part, _Variable) else _unmasked(part, request.identity.name)
    return "", f"--data-raw {_shell(parts)}"


def _with_known(text: str, known: Mapping[str, str]) -> _Text:
    """A JSON text with known values as variables: the whole of a string in quotes, or a bare number."""
    if not known:
        return [text]
    forms = {json.dumps(value)[1:-1]: name for value, name in known.items()}
    either = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    pattern = rf'(?<=")(?:{either})(?=")|(?<=[:\[,\s])(?:{either})(?=[,\]}}\s])'
    parts: _Text = []
    start = 0
    for match in re.finditer(pattern, text):
        parts += [text[start : match.start()], _Variable(forms[match[0]])]
        start = match.end()
    return [*parts, text[start:]]
