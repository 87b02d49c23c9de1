"""OpenAPI Overlay 1.0: actions that update or remove what a JSONPath meets in a document."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonpath_ng import Child, Fields, Index, Root, This
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse

from harness.contract import pointer
from harness.errors import UsageError

if TYPE_CHECKING:
    from jsonpath_ng import DatumInContext, JSONPath

TOP_KEYS = {"overlay", "info", "extends", "actions"}
ACTION_KEYS = {"target", "description", "update", "remove"}


@dataclass(frozen=True, slots=True)
class Touch:
    """One place that an action updated: the action's number, and the pointer of what it met."""

    action: int
    at: str


def applied(document: dict[str, Any], overlay: Any, name: str, touches: list[Touch] | None = None) -> dict[str, Any]:
    """A copy of the document with every action applied in order (Overlay 1.0.0, section 4.4.3).

    Raises UsageError with every problem of the overlay at once; `name` is how the message calls it. `touches` is given
    each place that was updated.
    """
    found = problems(overlay)
    if found:
        raise UsageError(f"{name} is not a valid OpenAPI Overlay 1.0", found)
    result = copy.deepcopy(document)
    unmet = []
    for index, action in enumerate(overlay["actions"]):
        matches: list[DatumInContext] = _path(action["target"]).find(result)
        if not matches:
            unmet.append(
                f"actions[{index}].target {action['target']!r} meets nothing in the document; "
                "compare it with the document's paths"
            )
        for match in matches:
            if touches is not None and "update" in action:
                touches.append(Touch(index, _pointer(match)))
            _apply(match, action, result)
    if unmet:
        raise UsageError(f"{name} does not fit the contract", unmet)
    return result


def problems(overlay: Any) -> list[str]:
    """What is wrong with the overlay itself, each with its value, the rule and the fix."""
    if not isinstance(overlay, dict):
        return [f"it is {type(overlay).__name__}; an overlay is an object with overlay, info and actions"]
    found = [
        f"unknown key {key!r}; allowed are {', '.join(sorted(TOP_KEYS))}" for key in overlay if _foreign(key, TOP_KEYS)
    ]
    if not str(overlay.get("overlay", "")).startswith("1."):
        found.append(f"overlay is {overlay.get('overlay')!r}; it must be a version 1.x string, write 'overlay: 1.0.0'")
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        return [*found, f"actions is {actions!r}; it must be a list with at least one action"]
    for index, action in enumerate(actions):
        found += [f"actions[{index}]: {problem}" for problem in _action_problems(action)]
    return found


def _action_problems(action: Any) -> list[str]:
    if not isinstance(action, dict):
        return [f"it is {action!r}; an action is an object with target and update or remove"]
    found = [
        f"unknown key {key!r}; allowed are {', '.join(sorted(ACTION_KEYS))}"
        for key in action
        if _foreign(key, ACTION_KEYS)
    ]
    target = action.get("target")
    if not isinstance(target, str):
        found.append(f"target is {target!r}; it must be a JSONPath string such as $.paths['/pets'].post")
    else:
        try:
            _path(target)
        except UsageError as error:
            found.append(str(error))
    if ("update" in action) == (action.get("remove") is True):
        found.append("it must have exactly one of update and remove: true")
    return found


def _foreign(key: Any, allowed: set[str]) -> bool:
    return key not in allowed and not str(key).startswith("x-")


def _path(target: str) -> JSONPath:
    try:
        return parse(target)
    except (JSONPathError, AttributeError, TypeError) as error:
        raise UsageError(f"target {target!r} is not a JSONPath: {error}") from error


def _pointer(match: DatumInContext) -> str:
    """Where a match stands, as a JSON pointer; what an update appends to a list is its new last item."""
    at, path = "", match.full_path
    while isinstance(path, Child):
        at = f"/{_token(path.right)}{at}"
        path = path.left
    whole = at if isinstance(path, Root | This) else f"/{_token(path)}{at}"
    return f"{whole}/{len(match.value)}" if isinstance(match.value, list) else whole


def _token(path: JSONPath) -> str:
    """The one member or item that the last step of a match's path leads to."""
    if isinstance(path, Index):
        return str(path.indices[0])
    return pointer.escape(str(path.fields[0])) if isinstance(path, Fields) else str(path)


def _apply(match: DatumInContext, action: dict[str, Any], root: dict[str, Any]) -> None:
    if action.get("remove"):
        match.full_path.filter(lambda _: True, root)
        return
    update = copy.deepcopy(action["update"])
    if isinstance(match.value, list):
        match.value.append(update)
    elif isinstance(match.value, dict) and isinstance(update, dict):
        _merge(match.value, update)
    else:
        match.full_path.update(root, update)


def _merge(into: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        else:
            into[key] = value
