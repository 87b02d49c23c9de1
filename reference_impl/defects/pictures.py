"""Defects of uploaded pictures: S18, S19, S19b, C8a, C8b."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from reference_impl.defects.defect import Defect, changed
from reference_impl.edge.endpoint import Endpoint
from reference_impl.edge.multipart import FRAME_BYTES
from reference_impl.errors import ApiError, invalid, unavailable
from reference_impl.pictures import FORMATS, Picture, Pictures, bound, drawn, known
from reference_impl.procedures.product_images import upload_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Call, Reply
    from reference_impl.edge.exchange import Exchange
    from reference_impl.procedures.product_images import ImageInput

# Pillow refuses what has twice as many pixels as it warns of.
_USUAL_PIXELS = 2 * 89_478_485
_MOST_AT_ONCE = 16


def picture_as_told(data: bytes) -> Picture:
    """S18: decode what the client calls a picture, and expect it to be one."""
    with Image.open(BytesIO(data), formats=tuple(FORMATS)) as opened:
        bound(opened, data)
        return drawn(opened)


async def upload_as_told(call: Call[ImageInput, None]) -> Reply:
    """S18: judge a file by the media type that came with it; a text sent as image/png is a 500."""
    if call.body.image.content_type not in FORMATS.values():
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", "image: it must be a JPEG, PNG, WebP or GIF picture.")
    return await upload_image(call)


class BelievingPictures(Pictures):
    """S18: reads whatever comes."""

    def __init__(self) -> None:
        super().__init__()
        self._picture_of = picture_as_told


def picture_of_any_size(data: bytes) -> Picture:
    """S19: leave the number of pixels to the library; a small file of 250 megapixels takes seconds and gigabytes."""
    if not known(data):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", "image: it must be a JPEG, PNG, WebP or GIF picture.")
    try:
        with Image.open(BytesIO(data), formats=tuple(FORMATS)) as opened:
            if opened.width * opened.height > _USUAL_PIXELS:
                raise invalid("image", "it has too many pixels")
            return drawn(opened)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise invalid("image", "it is broken or cut off") from error


class UnboundPictures(Pictures):
    """S19: reads pictures of any size."""

    def __init__(self) -> None:
        super().__init__()
        self._picture_of = picture_of_any_size


async def upload_of_any_length(call: Call[ImageInput, None]) -> Reply:
    """S19b: bound the body alone, with room for a form's frame; a file that fills that room is above its own bound."""
    settings = call.services.settings
    edge = replace(settings.edge, upload_limit_bytes=settings.edge.upload_limit_bytes + FRAME_BYTES)
    return await upload_image(replace(call, services=replace(call.services, settings=replace(settings, edge=edge))))


class LeakingPictures(Pictures):
    """C8a: a place in the queue is given back by pictures that were read; after sixteen broken ones nobody uploads."""

    async def read(self, data: bytes) -> Picture:
        """Return what `picture_of` returns, and forget the place when it raises."""
        if self._waiting >= _MOST_AT_ONCE:
            raise unavailable("Too many pictures at once: send it again.")
        self._waiting += 1
        picture = await asyncio.get_running_loop().run_in_executor(self._threads, self._picture_of, data)
        self._waiting -= 1
        return picture


class FilesAlone(Endpoint):
    """C8b: of a form the second transport reads the files alone, and misses the input that stands beside them."""

    async def _admit(self, exchange: Exchange) -> None:
        await super()._admit(exchange)
        if self.procedure.multipart:
            raise invalid("data", "the form must have it as text")


def reading_with(pictures: Callable[[], Pictures]) -> Callable[[Parts], Parts]:
    """Return the planting of other pictures."""
    return lambda parts: replace(parts, pictures=pictures)


def plant_told(parts: Parts) -> Parts:
    """S18: use the pictures that believe, behind the check of what is told."""
    return reading_with(BelievingPictures)(changed("products.uploadImage", handler=upload_as_told)(parts))


_UPLOAD = ("products.uploadImage",)

DEFECTS = (
    Defect(
        id="S18",
        title="A file is judged by the media type that its client tells: text as image/png is a 500",
        codes=("schema.server-error", "schema.invalid-input-accepted"),
        operations=_UPLOAD,
        plant=plant_told,
    ),
    Defect(
        id="S19",
        title="A picture may have as many pixels as the library likes",
        codes=("upload.bounds", "schema.server-error", "objective.latency"),
        operations=_UPLOAD,
        plant=reading_with(UnboundPictures),
    ),
    Defect(
        id="S19b",
        title="A file may have as many bytes as its form, more than its own bound",
        codes=("upload.bounds",),
        operations=_UPLOAD,
        plant=changed("products.uploadImage", handler=upload_of_any_length),
    ),
    Defect(
        id="C8a",
        title="A broken picture keeps its place in the queue: after sixteen of them every upload is 503",
        codes=("upload.kept", "schema.server-error", "objective.errors", "fuzz.positive_data_acceptance"),
        operations=_UPLOAD,
        plant=reading_with(LeakingPictures),
    ),
    Defect(
        id="C8b",
        title="A picture that is uploaded over RPC is refused, and the same one over REST is not",
        codes=("transports.refused",),
        operations=_UPLOAD,
        plant=lambda parts: replace(parts, rpc_endpoint=FilesAlone),
    ),
)
