"""Stores of files: a folder and an S3-compatible bucket behave alike, and no name leads out of a tenant."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.errors import ApiError
from reference_impl.objects.folder import FolderObjects
from reference_impl.objects.s3 import S3Objects
from reference_impl.objects.signature import Signer
from reference_impl.objects.store import media_type, open_objects
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from reference_impl.objects.store import Objects

NAME = "ab12.jpg"
BUCKET = {
    "API_PROFILE": "verify",
    "API_S3_ENDPOINT": "http://files.test:9000/base",
    "API_S3_BUCKET": "shop",
    "API_S3_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE",
    "API_S3_SECRET_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
PUBLISHED = Signer(BUCKET["API_S3_ACCESS_KEY"], BUCKET["API_S3_SECRET_KEY"], "us-east-1")
PUBLISHED_AT_S = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
PUBLISHED_HOST = {"host": "examplebucket.s3.amazonaws.com"}


def listing(keys: set[str], asked: httpx.QueryParams) -> httpx.Response:
    """Two keys a page, as a bucket tells them; the token of a page is not plain text."""
    found = sorted(key for key in keys if key.startswith(asked["prefix"]))
    start = int(asked.get("continuation-token", "0+/=").removesuffix("+/="))
    rows = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>1</Size></Contents>"
        for key in found[start : start + 2]
    )
    more = f"<NextContinuationToken>{start + 2}+/=</NextContinuationToken>" if len(found) > start + 2 else ""
    return httpx.Response(200, text=f"<?xml version='1.0'?><ListBucketResult>{more}{rows}</ListBucketResult>")


def bucket() -> Iterator[S3Objects]:
    """Give a store over a bucket in memory that refuses what is not signed."""
    kept: dict[str, bytes] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=AKIA"):
            return httpx.Response(403)
        key = request.url.path
        if "list-type" in request.url.params:
            return listing({name.removeprefix("/base/shop/") for name in kept}, request.url.params)
        if request.method == "PUT":
            kept[key] = request.content
            return httpx.Response(200)
        if request.method == "DELETE":
            kept.pop(key, None)
            return httpx.Response(204)
        return httpx.Response(200, content=kept[key]) if key in kept else httpx.Response(404)

    with respx.mock(assert_all_called=False) as router:
        router.route(url__regex=r"http://files\.test:9000/base/shop(/[a-z]+/[a-z0-9.]+|[?].+)").mock(side_effect=answer)
        yield S3Objects(load(BUCKET).objects)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    """Each store in turn."""
    if request.param == "folder":
        yield FolderObjects(tmp_path / "objects")
    else:
        yield from bucket()


def using(store: Objects, work: Callable[[Objects], Awaitable[None]]) -> None:
    """Run work on a store and close it."""

    async def run() -> None:
        await work(store)
        await store.close()

    asyncio.run(run())


def test_what_is_put_is_read_until_it_is_deleted(store: Objects) -> None:
    """A file is there for its tenant only, is replaced by one of its name, and may be forgotten twice."""

    async def work(store: Objects) -> None:
        assert await store.read("alpha", NAME) is None
        await store.put("alpha", NAME, b"one", "image/jpeg")
        await store.put("alpha", NAME, b"two", "image/jpeg")
        found = await store.read("alpha", NAME)
        assert found is not None
        assert (found.data, found.content_type) == (b"two", "image/jpeg")
        assert await store.read("beta", NAME) is None
        await store.delete("alpha", NAME)
        await store.delete("alpha", NAME)
        assert await store.read("alpha", NAME) is None

    using(store, work)


def test_a_tenants_files_are_listed(store: Objects) -> None:
    """All of them and no other's, however many answers they come in, with the instant of each; none is half-written."""

    async def work(store: Objects) -> None:
        assert await store.listed("alpha") == []
        for number in range(5):
            await store.put("alpha", f"a{number}.jpg", b"x", "image/jpeg")
        await store.put("alphabet", "other.jpg", b"x", "image/jpeg")
        assert await store.tidy("alpha", 4e9) == 0
        listed = await store.listed("alpha")
        assert [name for name, _ in listed] == [f"a{number}.jpg" for number in range(5)]
        assert all(1.7e9 < at_s < 4e9 for _, at_s in listed)

    using(store, work)


ODD = [
    "../x.jpg",
    "..",
    ".jpg",
    ".hidden.jpg",
    "a/b.jpg",
    "a\\b.jpg",
    "a.jpg\0",
    "A.jpg",
    "a.svg",
    "a.jpg\n",
    "%2e.jpg",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_never_there(store: Objects, tmp_path: Path, name: str) -> None:
    """They are not stored, not read and not deleted, and nothing appears beside the folder."""

    async def work(store: Objects) -> None:
        with pytest.raises(ValueError, match="no name for"):
            await store.put("alpha", name, b"x", "image/jpeg")
        assert await store.read("alpha", name) is None
        await store.delete("alpha", name)
        with pytest.raises(ValueError, match="no name for"):
            await store.put("../alpha", NAME, b"x", "image/jpeg")
        assert await store.read("..", NAME) is None

    using(store, work)
    assert list(tmp_path.rglob("*")) == []


@given(st.text(max_size=40), st.text(max_size=12))
def test_a_name_is_one_plain_path_segment(tenant: str, stem: str) -> None:
    """Whatever the texts, a name that is accepted holds no separator, no dot in front, no control character."""
    name = f"{stem}.jpg"
    if media_type(tenant, name) is not None:
        assert not set(tenant + name) & set("/\\\0\n")
        assert not name.startswith(".")
        assert tenant.isascii()


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """A file where the folder should be is a 503 to the client, for reads too."""
    (tmp_path / "objects").write_bytes(b"")

    async def work(store: Objects) -> None:
        with pytest.raises(ApiError) as refused:
            await store.put("alpha", NAME, b"x", "image/jpeg")
        assert refused.value.code == "UNAVAILABLE"
        with pytest.raises(ApiError):
            await store.read("alpha", NAME)
        with pytest.raises(ApiError):
            await store.delete("alpha", NAME)

    using(FolderObjects(tmp_path / "objects"), work)


def test_a_write_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the name nor a draft stays in the folder."""

    def broken(_source: object, _target: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("reference_impl.objects.folder.os.replace", broken)

    async def work(store: Objects) -> None:
        with pytest.raises(ApiError):
            await store.put("alpha", NAME, b"x", "image/jpeg")

    using(FolderObjects(tmp_path), work)
    assert list((tmp_path / "alpha").iterdir()) == []


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(500)])
def test_a_bucket_that_does_not_answer_is_unavailable(fault: Exception | httpx.Response) -> None:
    """Refused connections, time-outs and its own faults are a 503 to the client, and say nothing of the bucket."""

    async def work(store: Objects) -> None:
        for attempt in (
            store.put("alpha", NAME, b"x", "image/jpeg"),
            store.read("alpha", NAME),
            store.delete("alpha", NAME),
        ):
            with pytest.raises(ApiError) as refused:
                await attempt
            assert refused.value.code == "UNAVAILABLE"
            assert "files.test" not in refused.value.message

    with respx.mock() as router:
        route = router.route(host="files.test")
        route.side_effect = fault if isinstance(fault, Exception) else None
        if isinstance(fault, httpx.Response):
            route.return_value = fault
        using(S3Objects(load(BUCKET).objects), work)


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"),
    [
        (
            "GET",
            "/test.txt",
            "",
            {"Range": "bytes=0-9"},
            b"",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            "",
            {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            b"Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        ("GET", "/", "lifecycle=", {}, b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "GET",
            "/",
            "max-keys=2&prefix=J",
            {},
            b"",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_signatures_are_those_the_specification_publishes(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes, signature: str
) -> None:
    """AWS, "Signature Calculations: Transferring Payload in a Single Chunk", its four examples."""
    signed = PUBLISHED.sign(method, path, {**PUBLISHED_HOST, **headers}, body, PUBLISHED_AT_S, query)
    assert signed["authorization"].rsplit("=", 1)[1] == signature


def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    """A bucket when an endpoint is set, else a folder under the data."""
    assert isinstance(open_objects(load(BUCKET)), S3Objects)
    assert isinstance(open_objects(load({"API_PROFILE": "verify", "API_DATA": str(tmp_path)})), FolderObjects)
    assert "EXAMPLEKEY" not in repr(load(BUCKET))
