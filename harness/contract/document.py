"""Reads an OpenAPI document from a file or an answer's bytes, applies overlays, and tells what is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from harness.contract.dialect import modernised
from harness.contract.overlay import applied
from harness.contract.parse import METHODS
from harness.contract.swagger import converted
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REMOVED = "x-harness-removed"
AS_THREE = (
    "the document is OpenAPI 2.0, of which an overlay meets the 3.0 form: a body stands at "
    "requestBody.content['application/json'].schema, definitions at components.schemas"
)


class _Loader(yaml.SafeLoader):
    """YAML as JSON knows it: dates and times stay strings, since no OpenAPI value is a date."""


_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parsed(text: bytes, name: str) -> Any:
    """The JSON or YAML value of the text; raises UsageError that names the place where it breaks."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = " ".join(str(error).split())
        raise UsageError(f"{name} is neither JSON nor YAML", [place]) from error


def read_file(path: Path) -> Any:
    """The JSON or YAML value of a file; raises UsageError where it cannot be read."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; give the path of an existing file") from error
    return parsed(text, str(path))


def resolved(value: Any, name: str, overlays: Sequence[Path] = ()) -> dict[str, Any]:
    """The document with overlays applied and its schemas in the 3.1 dialect.

    A 2.0 document is rewritten first, so that overlays speak of the 3.0 form. Raises UsageError where it is not an
    OpenAPI document, with every problem at once.
    """
    told, value = value, as_three(value)
    found = problems(value)
    if found:
        raise UsageError(f"{name} is not an OpenAPI 2.0, 3.0 or 3.1 document", found)
    document: dict[str, Any] = value
    for overlay in overlays:
        try:
            document = applied(document, read_file(overlay), str(overlay))
        except UsageError as error:
            raise UsageError(error.headline, [*error.problems, *([AS_THREE] if told is not value else [])]) from error
    removed = sorted(_methods(value) - _methods(document))
    if removed:
        document[REMOVED] = [[method, path] for method, path in removed]
    return modernised(document) if str(document["openapi"]).startswith("3.0") else document


def as_three(value: Any) -> Any:
    """The value, rewritten as OpenAPI 3.0 where it is a 2.0 document that can be."""
    of_two = isinstance(value, dict) and str(value.get("swagger")) == "2.0"
    return converted(value) if of_two and isinstance(value.get("paths"), dict) else value


def _methods(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Method and path template of every operation."""
    return {
        (method.upper(), path)
        for path, item in document["paths"].items()
        if isinstance(item, dict)
        for method in METHODS
        if isinstance(item.get(method), dict)
    }


def problems(value: Any) -> list[str]:
    """Why the value is no OpenAPI 3 document, each with its value, the rule and the fix; none where it is."""
    if not isinstance(value, dict):
        return [f"it is {_short(value)}; a document is an object with openapi, info and paths"]
    found = []
    version = str(value.get("openapi", ""))
    if "swagger" in value:
        if str(value["swagger"]) != "2.0":
            found.append(f"swagger is {value['swagger']!r}; it must be the string 2.0")
    elif not version.startswith(("3.0", "3.1")):
        found.append(f"openapi is {value.get('openapi')!r}; it must be a 3.0.x or 3.1.x string")
    paths = value.get("paths")
    if not isinstance(paths, dict) or not paths:
        found.append(f"paths is {_short(paths)}; it must be an object with at least one path")
        return found
    found += [f"paths has {path!r}; a path begins with a slash" for path in paths if not _is_path(path)]
    found += [
        f"paths[{path!r}] is {_short(item)}; it must be an object"
        for path, item in paths.items()
        if not isinstance(item, dict)
    ]
    return found


def _is_path(path: Any) -> bool:
    return isinstance(path, str) and path.startswith(("/", "x-"))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - the length of a message's line
