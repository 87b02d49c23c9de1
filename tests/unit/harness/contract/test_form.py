"""Form bodies carry the members of a value as the document tells: text, JSON, or real files."""

from __future__ import annotations

import io
from email import message_from_bytes
from email.message import Message
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.contract import Contract
from harness.contract.form import MULTIPART, URLENCODED, asked_of, encoded, file, file_of, with_file
from harness.contract.operation import Body

EMPTY = Contract({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}})


def parts(content_type: str, data: bytes) -> dict[str, Message]:
    """The parts of a multipart body by name, read by another parser."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + data)
    found = {}
    for part in message.get_payload():
        assert isinstance(part, Message)
        found[str(part.get_param("name", header="content-disposition"))] = part
    return found


def body(properties: dict[str, Any], media_type: str = MULTIPART, **encoding: Any) -> Body:
    """A form with these members."""
    return Body(media_type, "", {"type": "object", "properties": properties}, encoding=encoding)


def test_a_binary_member_is_a_file_of_the_type_that_is_told() -> None:
    """`format: binary` with an encoding's contentType is sent as a real image; other members are text or JSON."""
    form = body(
        {"image": {"type": "string", "format": "binary"}, "note": {"type": "string"}, "tags": {"type": "object"}},
        image={"contentType": "image/png, image/jpeg"},
    )
    content_type, data = encoded(EMPTY, form, {"image": "x", "note": "zwölf", "tags": {"a": 1}}, Random(1))
    found = parts(content_type, data)
    picture = found["image"].get_payload(decode=True)
    assert isinstance(picture, bytes)
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    assert found["image"].get_filename() == "file.png"
    assert found["note"].get_payload(decode=True) == "zwölf".encode()
    assert found["tags"].get_content_type() == "application/json"
    assert found["tags"].get_payload(decode=True) == b'{"a": 1}'


def test_a_list_of_files_repeats_its_part() -> None:
    """Each item of an array is a part of its own."""
    form = body({"files": {"type": "array", "items": {"type": "string", "format": "binary"}}})
    _, data = encoded(EMPTY, form, {"files": ["a", "b"]}, Random(1))
    assert data.count(b'name="files"; filename="file.bin"') == 2


@given(st.dictionaries(st.text("abcXYZ", min_size=1, max_size=5), st.text(max_size=20), max_size=4))
def test_a_urlencoded_form_reads_back(value: dict[str, str]) -> None:
    """What is encoded is what another parser reads."""
    content_type, data = encoded(EMPTY, body({}, URLENCODED), value, Random(1))
    assert content_type == URLENCODED
    assert dict(parse_qsl(data.decode(), keep_blank_values=True)) == value


@pytest.mark.parametrize(
    ("asked", "kind", "made"),
    [
        ("image/jpeg", "image/jpeg", "JPEG"),
        ("image/webp", "image/webp", "WEBP"),
        ("image/*", "image/png", "PNG"),
        ("image/gif, image/png", "image/png", "PNG"),
    ],
)
def test_images_are_images(asked: str, kind: str, made: str) -> None:
    """The bytes decode as what their media type says."""
    _, told, data = file(asked, Random(1))
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert (told, picture.format) == (kind, made)


def test_an_unknown_type_gets_bytes() -> None:
    """Nothing is known of it, so any bytes under its name."""
    name, kind, data = file("application/x-own", Random(1))
    assert (name, kind, len(data)) == ("file.bin", "application/x-own", 64)


@given(data=st.binary(max_size=200), note=st.text(max_size=20), first=st.booleans())
def test_the_bytes_of_a_file_are_found_and_can_be_others(data: bytes, note: str, *, first: bool) -> None:
    """Whatever stands in them and around them, another parser sees the new bytes in the file's place alone."""
    members: dict[str, Any] = {"note": {"type": "string"}, "image": {"type": "string", "format": "binary"}}
    value = {"image": "x", "note": note} if first else {"note": note, "image": "x"}
    content_type, made = encoded(EMPTY, body(members), value, Random(1))
    place = file_of(content_type, made)
    assert place is not None
    boundary = content_type.partition("boundary=")[2].encode()
    found = parts(content_type, made[: place[0]] + data.replace(boundary, b"") + made[place[1] :])
    assert [*found] == [*value]
    assert found["image"].get_payload(decode=True) in {data, data.replace(b"\r\n", b"\n"), data.rstrip(b"\r")}
    assert file_of(content_type, b"") is None
    assert file_of("application/json", made) is None


@given(st.binary(max_size=200), st.sampled_from(["", "image/png"]), st.sampled_from(["", "other.png"]))
def test_another_file_stands_in_its_place(data: bytes, kind: str, name: str) -> None:
    """Its bytes are the new ones, its type and name too where they are given, and the other members stay."""
    members: dict[str, Any] = {"note": {"type": "string"}, "image": {"type": "string", "format": "binary"}}
    form = body(members, image={"contentType": "image/jpeg"})
    content_type, made = encoded(EMPTY, form, {"note": "n", "image": "x"}, Random(1))
    data = data.replace(b"\r", b"").rstrip(b"\n").replace(content_type.partition("boundary=")[2].encode(), b"")
    changed = with_file(content_type, made, data, kind=kind, name=name)
    assert changed is not None
    found = parts(content_type, changed)
    assert found["note"].get_payload(decode=True) == b"n"
    assert found["image"].get_payload(decode=True) == data
    assert found["image"].get_content_type() == (kind or "image/jpeg")
    assert found["image"].get_filename() == (name or "file.jpg")
    assert with_file("application/json", made, data) is None


def test_the_types_of_a_file_are_those_that_are_declared() -> None:
    """Of the first member that is a file; a form without one, and one that is not multipart, has none."""
    picture = {"type": "string", "format": "binary"}
    assert asked_of(EMPTY, body({"note": {"type": "string"}, "image": picture}, image={"contentType": "image/*"})) == (
        "image/*"
    )
    assert asked_of(EMPTY, body({"files": {"type": "array", "items": picture}})) == "application/octet-stream"
    assert asked_of(EMPTY, body({"note": {"type": "string"}})) == ""
    assert asked_of(EMPTY, body({"image": picture}, URLENCODED)) == ""
