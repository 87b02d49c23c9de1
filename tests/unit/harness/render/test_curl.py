from __future__ import annotations

import base64
import re
import shlex
import subprocess
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Request
from harness.identities import Identity
from harness.render.curl import PATH_SAFE, curl, variables
from harness.render.text import is_printable

URL = "http://127.0.0.1:8080"
TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
NAMES = st.text(TOKEN_CHARACTERS, min_size=1, max_size=12).filter(
    lambda name: name.lower() not in {"authorization", "cookie", "api-key", "content-length", "accept-encoding"}
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30).map(str.strip)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]),
    path=st.text(st.characters(codec="utf-8"), max_size=30).map(lambda text: "/" + text),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple),
    body=st.none() | st.binary(max_size=60) | TEXT.map(str.encode),
)


def parsed(command: str) -> tuple[str, str, list[tuple[str, str]], bytes | None]:
    """Method, URL, headers and body of a command, as curl takes its arguments."""
    words = shlex.split(command)
    stdin = base64.b64decode(words[2]) if words[0] == "printf" else None
    words = words[words.index("curl") + 1 :]
    method, url, headers, body = "", "", [], None
    while words:
        word = words.pop(0)
        if word == "-I":
            method = "HEAD"
        elif word == "-X":
            method = words.pop(0)
        elif word == "-H":
            headers.append(_header(words.pop(0)))
        elif word == "--data-raw":
            body = words.pop(0).encode()
        elif word == "--data-binary":
            assert words.pop(0) == "@-"
            body = stdin
        elif word not in {"-i", "--path-as-is", "--compressed"}:
            url = word
    return method or "GET", url, [header for header in headers if header != ("Content-Type", None)], body


def _header(text: str) -> tuple[str, str | None]:
    if text.endswith(";") and ":" not in text:
        return text[:-1], ""
    name, _, value = text.partition(":")
    return name, value.removeprefix(" ") or None


@given(REQUESTS)
def test_a_shell_reads_the_request_back(request_: Request) -> None:
    """What a shell makes of the command is the method, address, headers and body that were sent."""
    query = f"?{urlencode(request_.query)}" if request_.query else ""
    expected = (
        request_.method,
        URL + quote(request_.path, safe=PATH_SAFE) + query,
        list(request_.headers),
        request_.body,
    )
    assert expected == parsed(curl(request_, URL))


@given(TEXT.filter(is_printable).filter(lambda text: "[masked" not in text))
def test_a_real_shell_agrees(text: str) -> None:
    """The POSIX shell gives the program exactly the body's bytes, whatever quotes and dollars it holds.

    What a mask left is a variable of the shell, and no part of a body.
    """
    command = curl(Request("POST", "/", body=text.encode()), URL)
    body = command.split(" --data-raw ", 1)[1]
    printed = subprocess.run(["/bin/sh", "-c", f"printf %s {body}"], capture_output=True, check=True).stdout
    assert text.encode() == printed


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((("Authorization", "Bearer [masked]"),), '"$TOKEN_ADMIN_1"'),
        ((("Authorization", "[masked]"),), '"$TOKEN_ADMIN_1"'),
        ((("X-Api-Key", "[masked]"),), '"$X_API_KEY_ADMIN_1"'),
        ((("Cookie", "session=eyJhbGciOi"),), '"$COOKIE_ADMIN_1"'),
        ((("X-Csrf", "a[masked token]b"),), 'a"$TOKEN_ADMIN_1"b'),
    ],
)
def test_secret_headers_are_variables(headers: tuple[tuple[str, str], ...], expected: str) -> None:
    """A header that proves an identity is a shell variable named after the identity, never its value."""
    command = curl(Request("GET", "/", headers=headers, identity=Identity("admin-1")), URL)
    assert expected.strip("ab") in command
    assert "eyJ" not in command


def test_live_credentials_do_not_show() -> None:
    """An exchange that was not read from a masked history gives no credential away either."""
    who = Identity("seller", headers=(("Authorization", "Bearer abc.def"), ("X-Session", "s3cret-s3cret")))
    command = curl(Request("GET", "/", identity=who), URL)
    assert "abc.def" not in command
    assert "s3cret" not in command
    assert variables(command) == ("TOKEN_SELLER", "X_SESSION_SELLER")


def test_masked_members_are_variables_named_after_them() -> None:
    """A masked JSON member is a variable with the member's name, outside the single quotes."""
    body = b'{"newPassword": "[masked]", "x": "it\'s"}'
    command = curl(Request("POST", "/login", body=body, identity=Identity("eve")), URL)
    assert variables(command) == ("NEW_PASSWORD_EVE",)
    expected = '{"newPassword": "secret", "x": "it\'s"}'
    said = command.split(" --data-raw ", 1)[1]
    shell = subprocess.run(
        ["/bin/sh", "-c", f"NEW_PASSWORD_EVE=secret; printf %s {said}"], capture_output=True, check=True, text=True
    )
    assert expected == shell.stdout


def test_masked_query_values_are_variables() -> None:
    """A masked query value is a variable with the parameter's name."""
    command = curl(Request("GET", "/", query=(("token", "[masked]"), ("page", "2"))), URL)
    assert "token='\"$TOKEN_ANONYMOUS\"'&page=2'" in command


def test_known_values_are_variables_in_every_place() -> None:
    """A value that an earlier line tells is a variable in path, query, header and body."""
    request = Request(
        "PUT",
        "/orders/0190-aa",
        query=(("after", "0190-aa"),),
        headers=(("If-Match", '"7"'), ("Content-Type", "application/json")),
        body=b'{"order": "0190-aa", "text": "x 0190-aa", "count": 42}',
    )
    command = curl(request, URL, known={"0190-aa": "LINE1_ID", '"7"': "LINE1_ETAG", "42": "LINE1_COUNT"})
    assert variables(command) == ("LINE1_ID", "LINE1_ETAG", "LINE1_COUNT")
    assert len(re.findall(r'"\$LINE1_(?:ID|COUNT)"', command)) == 4
    assert "x 0190-aa" in command


def test_a_large_body_is_taken_from_a_file() -> None:
    """A body above the limit is not written into the line."""
    assert curl(Request("POST", "/", body=b"x" * 100), URL, body_limit=99).endswith("--data-binary @body")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://user:pass@127.0.0.1:80/base", "http://127.0.0.1:80/a"),
        ("https://[::1]:8443", "'https://[::1]:8443/a'"),
        ("", "http:///a"),
    ],
)
def test_the_address_is_the_targets_origin(url: str, expected: str) -> None:
    """Credentials in the target's URL and its path stay out: the request's path is already whole."""
    assert f"curl -i {expected}" == curl(Request("GET", "/a"), url)


def test_dots_are_kept_in_the_path() -> None:
    """Curl is told to send a path with dot segments as it stands."""
    assert curl(Request("GET", "/a/../b"), URL) == "curl -i --path-as-is http://127.0.0.1:8080/a/../b"


def test_a_source_address_is_named() -> None:
    """A request that was sent from an address of its own is sent from it again."""
    assert curl(Request("GET", "/", source="127.0.0.9"), URL).endswith("--interface 127.0.0.9")
