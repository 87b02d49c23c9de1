"""Uploads to a real process: hostile files cost little memory, get the right status, and hold nobody else up."""

from __future__ import annotations

import asyncio
import random
import socket
import zlib
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from tests.servers.api import ADMIN, PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

LIMIT_BYTES = 10 * 1024 * 1024
# A decoded bomb of 250 megapixels would need a gigabyte; what is refused by its header needs nothing like it.
GROWTH_KIB = 150_000


@pytest.fixture
def api(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[Api]:
    """One worker."""
    installed = Api(tmp_path, **database())
    installed.set_up("alpha")
    installed.start()
    yield installed
    installed.stop()


def encoded(kind: str, size: tuple[int, int] = (64, 64), **options: Any) -> bytes:
    """A file of noise."""
    file = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def png_bomb(side: int) -> bytes:
    """Some hundred kilobytes that decode to a square of this side."""
    packer = zlib.compressobj(9)
    row = bytes(1 + side)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = side.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    packed = [len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def text_bomb() -> bytes:
    """A PNG of one pixel whose comment unpacks to 300 megabytes."""
    plain = encoded("PNG", (1, 1))
    text = b"Comment\0\0" + zlib.compress(bytes(300_000_000), 9)
    chunk = len(text).to_bytes(4) + b"zTXt" + text + zlib.crc32(b"zTXt" + text).to_bytes(4)
    return plain[:33] + chunk + plain[33:]


def webp_of(side: int) -> bytes:
    """A WebP file whose header tells of a square of this side."""
    canvas = (side - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes([2, 0, 0, 0]) + canvas + b"ANIM\x06\0\0\0" + bytes(6)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def gif_of(side: int) -> bytes:
    """A GIF file whose header tells of a square of this side."""
    return (
        b"GIF89a" + side.to_bytes(2, "little") * 2 + b"\0\0\0," + bytes(4) + side.to_bytes(2, "little") * 2 + b"\0\2\1;"
    )


JPEG = encoded("JPEG")
FILES: dict[str, tuple[bytes, int]] = {
    "bomb of 256 megapixels": (png_bomb(16_000), 400),
    "text of 300 megabytes": (text_bomb(), 400),
    "wide webp": (webp_of(16_000), 400),
    "wide gif": (gif_of(65_535), 400),
    "jpeg that says it is wide": (JPEG.replace((64).to_bytes(2) * 2, b"\xff\xdc" * 2, 1), 400),
    "half a jpeg": (JPEG[: len(JPEG) // 2], 400),
    "half a png": (encoded("PNG")[:3000], 400),
    "text": (b"hello", 415),
    "html": (b"<html><script>alert(1)</script>", 415),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415),
    "noise": (random.Random(1).randbytes(5000), 415),
    "nothing": (b"", 415),
    "polyglot": (JPEG + b"PK\x03\x04<script>alert(1)</script>", 201),
    "10 MB": (JPEG + bytes(LIMIT_BYTES - len(JPEG)), 201),
    "10 MB and a byte": (JPEG + bytes(LIMIT_BYTES - len(JPEG) + 1), 413),
}


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    """A client with the admin's token."""
    with httpx.Client(base_url=f"{api.url}/api/v1", timeout=60) as client:
        login = client.post("/auth/login", json={"email": ADMIN, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {login.json()['accessToken']}"
        yield client


@pytest.fixture
def path(client: httpx.Client) -> str:
    """The path of a new product's images."""
    category = client.post("/categories", json={"name": "Bowls"}).json()["id"]
    product = client.post("/products", json={"name": "Bowl", "price": 1, "categoryId": category}).json()
    return f"/products/{product['id']}/images"


def most_memory_kib(api: Api) -> int:
    """The most memory that the process ever had."""
    assert api.process is not None
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def test_hostile_files_are_refused_at_little_cost(api: Api, client: httpx.Client, path: str) -> None:
    """Each has its status in the envelope, none is a fault, and the process stays small."""
    assert client.post(path, files={"image": ("a", encoded("JPEG", (3000, 2000)))}).status_code == 201
    client.post(path, files={"image": ("a", FILES["10 MB"][0])})
    before_kib = most_memory_kib(api)
    for name, (data, status) in FILES.items():
        answer = client.post(path, files={"image": ("a.png", data, "image/png")})
        assert answer.status_code == status, (name, answer.text)
        assert (status < 400) == ("error" not in answer.json()), name
    assert most_memory_kib(api) - before_kib < GROWTH_KIB
    assert [line for line in api.lines() if line.get("level") == "error"] == []


@pytest.mark.engines("sqlite")
def test_a_body_without_end_is_cut_off(api: Api, client: httpx.Client, path: str) -> None:
    """A gigabyte in pieces is 413 once it is too long, though its client sends on; the process stays small."""
    before_kib = most_memory_kib(api)

    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(1000):
            yield bytes(1_000_000)

    answer = client.post(path, content=pieces(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert client.get("/products").status_code == 200
    assert most_memory_kib(api) - before_kib < GROWTH_KIB


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("size", "said", "status"), [(len(JPEG), b"100 Continue", 201), (2 * LIMIT_BYTES, b"413 ", 413)]
)
def test_who_asks_first_is_told_to_go_on_or_refused(
    api: Api, client: httpx.Client, path: str, size: int, said: bytes, status: int
) -> None:
    """`Expect: 100-continue`, which curl sends before a large file: nothing of the body is sent until it is wanted."""
    begin = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body = begin + JPEG + bytes(size - len(JPEG)) + b"\r\n--x--\r\n"
    lines = [f"POST /api/v1{path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", "Expect: 100-continue"]
    lines += ["Content-Type: multipart/form-data; boundary=x", f"Authorization: {client.headers['Authorization']}"]
    with closing(socket.create_connection(("127.0.0.1", api.port), timeout=20)) as asking:
        asking.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = asking.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 " + said)
        if status == 201:
            asking.sendall(body)
            answer = asking.recv(65_536)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.engines("sqlite")
def test_decoding_holds_nobody_up(api: Api, client: httpx.Client, path: str) -> None:
    """While large pictures are decoded, other requests are answered: more than there are pictures."""
    large = encoded("JPEG", (3000, 3000), progressive=True, quality=20)
    assert len(large) < LIMIT_BYTES
    token = client.headers["Authorization"]

    async def run() -> int:
        async with httpx.AsyncClient(
            base_url=f"{api.url}/api/v1", timeout=60, headers={"Authorization": token}
        ) as other:
            uploads = [asyncio.create_task(other.post(path, files={"image": ("a", large)})) for _ in range(4)]
            answered = 0
            while not all(upload.done() for upload in uploads):
                assert (await other.get("/products")).status_code == 200
                answered += 1
            assert [upload.result().status_code for upload in uploads] == [201] * 4
            return answered

    assert asyncio.run(run()) > 8
