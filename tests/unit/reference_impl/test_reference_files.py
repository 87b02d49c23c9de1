"""Uploaded files and the pages: kept, revalidated, in ranges, and nothing beside them."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impl.contract.page import prose, type_of

if TYPE_CHECKING:
    from conftest import Shop

NAME = "a" * 64 + ".jpg"
DATA = bytes(range(256)) * 4
HERE = "http://shop.test"
NO_CODING = {"Accept-Encoding": "identity"}


@pytest.fixture
def kept(shop: Shop) -> Shop:
    """The shop with one file of alpha."""
    shop.runner.run(shop.application.services.objects.put("alpha", NAME, DATA, "image/jpeg"))
    return shop


def test_a_file_is_kept_for_ever_and_revalidated(kept: Shop) -> None:
    """Type, length, tag and age are told; the tag gives 304, HEAD gives no bytes."""
    answer = kept.send("GET", f"{HERE}/files/alpha/{NAME}", headers={"Accept-Encoding": "gzip, identity;q=0.1"})
    told = answer.headers
    assert (answer.status_code, answer.content, told["content-type"]) == (200, DATA, "image/jpeg")
    assert (told["cache-control"], told["x-content-type-options"]) == ("public, max-age=31536000, immutable", "nosniff")
    assert "content-encoding" not in told
    for tags in (told["etag"], f'"else", W/{told["etag"]}', "*"):
        again = kept.send("GET", f"{HERE}/files/alpha/{NAME}", headers={"If-None-Match": tags})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", told["etag"])
    head = kept.send("HEAD", f"{HERE}/files/alpha/{NAME}")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(DATA)))


@given(st.integers(0, 1100), st.integers(0, 1100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_a_range_is_the_files_own_bytes(kept: Shop, first: int, last: int) -> None:
    """What is told and sent is that part of the file; outside it is 416; backwards is the whole."""
    answer = kept.send("GET", f"{HERE}/files/alpha/{NAME}", headers={"Range": f"bytes={first}-{last}"})
    if last < first:
        assert (answer.status_code, answer.content) == (200, DATA)
    elif first >= len(DATA):
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(DATA)}")
        assert answer.json()["error"]["code"] == "RANGE_NOT_SATISFIABLE"
    else:
        assert (answer.status_code, answer.content) == (206, DATA[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{min(last, len(DATA) - 1)}/{len(DATA)}"


@pytest.mark.parametrize(
    ("headers", "status", "length"),
    [
        ({"Range": "bytes=-10"}, 206, 10),
        ({"Range": "bytes=1000-"}, 206, 24),
        ({"Range": "bytes=-5000"}, 206, 1024),
        ({"Range": "bytes=-0"}, 416, None),
        ({"Range": "bytes=0-1,5-6"}, 200, 1024),
        ({"Range": "lines=0-1"}, 200, 1024),
        ({"Range": "bytes=-"}, 200, 1024),
        ({"Range": "bytes=0-9", "If-Range": f'"{NAME}"'}, 206, 10),
        ({"Range": "bytes=0-9", "If-Range": '"else"'}, 200, 1024),
        ({"Range": "bytes=0-9", "If-Range": "Sat, 29 Oct 1994 19:43:31 GMT"}, 200, 1024),
    ],
)
def test_the_forms_of_a_range(kept: Shop, headers: dict[str, str], status: int, length: int | None) -> None:
    """A suffix, an open end, a condition; what is not served in parts is served whole."""
    answer = kept.send("GET", f"{HERE}/files/alpha/{NAME}", headers=headers)
    assert answer.status_code == status
    assert length is None or len(answer.content) == length


@pytest.mark.parametrize(
    "path",
    [
        f"beta/{NAME}",
        "alpha/..%2F..%2Ftenants%2Falpha.sqlite",
        "alpha/%2e%2e/alpha.sqlite",
        "..%2Falpha/" + NAME,
        f"alpha/{NAME}%00",
        "alpha/" + "a" * 5000 + ".jpg",
        "alpha/",
        f"ALPHA/{NAME}",
        f"alpha//{NAME}",
    ],
)
def test_nothing_but_files_is_found(kept: Shop, path: str) -> None:
    """Other tenants' names, steps upwards and strange names are all the same 404."""
    answer = kept.send("GET", f"{HERE}/files/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


class Seen(HTMLParser):
    """What a page is made of: names of its tags, its addresses, its marks, and whether each tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.marks: set[str] = set()
        self.depth: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name in {"href", "src"}}
        self.marks |= {value or "" for name, value in attrs if name == "id"}
        if tag not in {"meta", "br"}:
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an end."""
        assert self.depth.pop() == tag


def test_the_page_is_whole_and_needs_nothing(shop: Shop) -> None:
    """Every operation and schema stands in it, every link leads somewhere, its policy lets it load nothing."""
    answer = shop.send("GET", f"{HERE}/docs")
    document = shop.send("GET", "/openapi.json").json()
    page = Seen()
    page.feed(answer.text)
    assert page.depth == []
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    operations = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert operations | {f"schema-{name}" for name in document["components"]["schemas"]} <= page.marks
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= page.marks
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}
    policy = answer.headers.get_list("content-security-policy")
    assert len(policy) == 1
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy[0]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; frame-ancestors 'none'", policy[0]
    )


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_pages_are_revalidated_in_every_coding(shop: Shop, path: str) -> None:
    """The tag of each coding gives 304 in it; another tag gives the page."""
    bodies = set()
    for coding in ("identity", "gzip", "br", "zstd"):
        sent = {"Accept-Encoding": coding}
        answer = shop.send("GET", HERE + path, headers=sent)
        assert answer.headers.get("content-encoding", "identity") == coding
        bodies.add(answer.content)
        again = shop.send("GET", HERE + path, headers={**sent, "If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
        assert shop.send("GET", HERE + path, headers={**sent, "If-None-Match": '"else"'}).status_code == 200
    assert len(bodies) == 1


@given(st.text())
def test_what_a_document_says_is_text_on_the_page(text: str) -> None:
    """No word of a document becomes a tag of the page."""
    told = prose(text) + type_of({"enum": [text]}) + type_of({"type": "string", "pattern": text})
    told += type_of({"$ref": f"#/components/schemas/{text}"})
    assert set(re.findall(r"<(\w+)", told)) <= {"p", "code", "strong", "a"}
    assert text.count("<") <= told.count("&lt;") or "/" in text
