"""The types of single members: text, addresses, ids, times, amounts, each with its bounds and an example."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

# PostgreSQL cannot store U+0000, so no text may hold it.
NO_NUL = r"^[^\u0000]*$"
UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
EMAIL = r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,2}$"
LARGEST = 1_000_000

Role = Literal["user", "seller", "admin"]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL, examples=["Walnut bowl"])]
Description = Annotated[str, Meta(max_length=5000, pattern=NO_NUL, examples=["Turned by hand."])]
PersonName = Annotated[Name, Meta(examples=["Ada Lovelace"])]
Search = Annotated[
    str, Meta(max_length=200, pattern=NO_NUL, description="A part of the name, in any case.", examples=["bowl"])
]
Email = Annotated[str, Meta(max_length=254, pattern=EMAIL, examples=["ada@example.test"])]
Password = Annotated[str, Meta(min_length=8, max_length=128, pattern=NO_NUL, examples=["correct horse battery"])]
Url = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^https?://[A-Za-z0-9.-]{1,100}(/[A-Za-z0-9._~/-]*)?$",
        examples=["https://a.test/1.jpg"],
    ),
]
Id = Annotated[
    str,
    Meta(
        pattern=UUID,
        extra_json_schema={"format": "uuid", "examples": ["01980000-0000-7000-8000-000000000000"]},
    ),
]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]})]
Stock = Annotated[int, Meta(ge=0, le=LARGEST, examples=[10])]
Version = Annotated[int, Meta(ge=1, le=9_007_199_254_740_991, examples=[1])]
Quantity = Annotated[int, Meta(ge=1, le=1000, examples=[2])]
Count = Annotated[int, Meta(ge=0, examples=[1])]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many at most.", examples=[20])]
PageNumber = Annotated[int, Meta(ge=1, le=LARGEST, description="Which page; the first is 1.", examples=[1])]
Offset = Annotated[int, Meta(ge=0, le=LARGEST, description="How many are passed over.", examples=[0])]
