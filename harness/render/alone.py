"""A finding as a test file of its own: pytest and the standard library, an address and secrets from the environment.

The steps are those of the finding's sequence. What an earlier answer told is taken from that answer, what must be new
is made new, and who calls is told by variables, one for each credential.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Request
from harness.identities import ANONYMOUS
from harness.places import places
from harness.render import reproduction
from harness.render.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.finding import Finding
    from harness.render.stated import Stated
    from harness.report import Report

BASE = "BASE_URL"
MASKED = re.compile(r"\[masked[^\]]*\]")
UNIQUE_NAMES = {"email", "username", "login", "slug", "name", "title", "key", "code", "sku"}
SHORTEST, CREATED = 6, 201
WIDE = 100


@dataclass(slots=True)
class _File:
    """The file as it is made: the variables that it needs, what each caller is called, and what it sends otherwise."""

    proofs: Mapping[str, Sequence[tuple[str, str]]]
    stated: Stated
    settings: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    renewed: dict[str, str] = field(default_factory=dict)

    def caller(self, identity: Mapping[str, Any]) -> str:
        """The word for an identity in variables: its role, numbered where several have it."""
        if identity["name"] not in self.names:
            role = _word((identity["roles"] or ["caller"])[0])
            count = sum(re.fullmatch(rf"{role}(_\d+)?", name) is not None for name in self.names.values())
            self.names[identity["name"]] = f"{role}_{count + 1}" if count else role
        return self.names[identity["name"]]

    def setting(self, name: str, told: str) -> str:
        """The expression of a variable that the reader sets."""
        self.settings.setdefault(name, told)
        return f"setting({name!r})"


def file_name(finding: Finding) -> str:
    """`test_roles_role_allowed.py`."""
    return f"test_{_word(finding.code).lower()}.py"


def render(finding: Finding, report: Report, stated: Stated) -> bytes:
    """The file, whose last lines are the stated ones (see `assertion.asserted`)."""
    proofs = {
        exchange.request.identity.name: [pair for pair in exchange.request.headers if "[masked" in pair[1]]
        for exchange in reproduction.seen(finding, report)
    }
    address = f"the address of the API, such as {report.target.url or 'http://127.0.0.1:8000'}"
    file = _File(proofs, stated, {BASE: address})
    steps = [_step(file, number, step) for number, step in enumerate(finding.reproduction.steps)]
    body = _template().format(
        promised=repr(printable(finding.promised) or one_line(finding.title)),
        settings=_literal(file.settings, {}, 0),
        name=_word(finding.code).lower(),
        title=_doc(finding.title),
        steps="\n".join(steps),
        helpers=_helpers(
            "\n".join((*stated.lines, *stated.paths.values(), *stated.queries.values(), *stated.headers.values()))
        ),
        lines="\n".join(f"    {line}" for line in stated.lines),
    )
    return (_head(finding, report, file.settings) + body).encode("utf-8", "backslashreplace")


@cache
def _template() -> str:
    return (files("harness.render") / "templates" / "alone.py.txt").read_text("utf-8")


@cache
def _parts() -> Mapping[str, str]:
    """The functions that not every file needs, by name."""
    folder = files("harness.render") / "templates" / "helpers"
    return {entry.name.partition(".")[0]: entry.read_text("utf-8").strip() for entry in folder.iterdir()}


def _helpers(lines: str) -> str:
    """Those functions that the lines call, and that these call."""
    taken: list[str] = []
    text = lines
    while found := [name for name in sorted(_parts()) if name not in taken and re.search(rf"\b{name}\(", text)]:
        taken += found
        text = "\n".join(_parts()[name] for name in found)
    return "".join(f"\n\n{_parts()[name]}\n" for name in sorted(taken))


def _head(finding: Finding, report: Report, settings: Mapping[str, str]) -> str:
    told = " ".join(f"{name}=..." for name in settings)
    parts = [
        f"{one_line(finding.title)}.",
        "",
        f"Class {finding.code}, fingerprint {finding.fingerprint}, seen in the run {report.run_id}.",
        *([f"Promised: {one_line(finding.promised)}"] if finding.promised else []),
        *([f"At: {one_line(str(finding.place))}"] if finding.place else []),
        *([f"Seen: {one_line(finding.seen)}"] if finding.seen else []),
        "",
        f"    {told} pytest {file_name(finding)}",
        "",
        "It fails while the fault is there and passes once it is mended. CANNOT TELL says that it did not come so far.",
    ]
    return '"""' + _doc("\n".join(parts)) + '\n"""\n\n'


def _step(file: _File, number: int, step: Mapping[str, Any]) -> str:
    """One call of `send`, an argument a line."""
    who = step["identity"]
    new = _replaced(file, number, step)
    comment = (
        f"{one_line(step.get('step') or step['operation'])} as {one_line(who['name'])}: {step['status'] or 'no answer'}"
    )
    headers = [
        *_proofs(file, who),
        *((name, _text(value, new.get(f"header:{name.lower()}"))) for name, value in _own(step)),
    ]
    pairs = [
        f"({name!r}, {_text(value, new.get(f'query:{index}'))})" for index, (name, value) in enumerate(step["query"])
    ]
    query = file.stated.queries.get(number) or (f"[{', '.join(pairs)}]" if pairs else "")
    arguments = [
        f"{number + 1}, {step['method']!r}, {file.stated.paths.get(number) or _path(step['path'], new)}",
        *([f"query={query}"] if query else []),
        *([f"headers=[{', '.join(f'({name!r}, {value})' for name, value in headers)}]"] if headers else []),
        *([f"body={_body(step['body'], new)}"] if step["body"] is not None else []),
    ]
    inside = ",\n            ".join(arguments)
    return f"    # {number + 1}. {comment}\n    answers.append(\n        send(\n            {inside},\n        )\n    )"


def _own(step: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in step["headers"]]


def _proofs(file: _File, who: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers that prove a caller, their secrets from variables."""
    if who["name"] == ANONYMOUS.name:
        return []
    caller = file.caller(who)
    roles = " and ".join(who["roles"]) or "no role"
    tenant = f" of the tenant {who['tenant']}" if who["tenant"] else ""
    found = []
    for name, value in file.proofs.get(who["name"]) or (("Authorization", "Bearer [masked]"),):
        kind = "TOKEN" if name.lower() == "authorization" else _word(name)
        told = f"the {name} of a caller with {roles}{tenant}, without its scheme"
        expression = file.setting(f"{caller}_{kind}", one_line(told))
        before, _, after = MASKED.sub("\0", value, count=1).partition("\0")
        found.append((name, " + ".join(filter(None, (before and repr(before), expression, after and repr(after))))))
    return found


def _replaced(file: _File, number: int, step: Mapping[str, Any]) -> dict[str, str]:
    """The places of a step whose value is not the recorded one, each with the expression that gives it."""
    request = _request(step)
    filled = step.get("filled", {})
    facts = {value: name for name, value in step["identity"]["facts"].items()}
    new = {}
    for place in places(request):
        if place.at in filled:
            new[place.at] = f"answers[{filled[place.at]['step']}].told({filled[place.at]['place']!r})"
        elif anew := file.stated.anew(place.value):
            new[place.at] = anew
        elif place.value in file.renewed:
            new[place.at] = file.renewed[place.value]
        elif place.value in facts and step["identity"]["name"] != ANONYMOUS.name:
            caller, fact = file.caller(step["identity"]), facts[place.value]
            new[place.at] = file.setting(f"{caller}_{_word(fact)}", f"the {one_line(fact)} of the caller {caller}")
        elif _is_unique(place.at, place.value, step):
            new[place.at] = file.renewed[place.value] = f"fresh({place.value!r})"
    for name, value in _own(step):
        anew = file.stated.headers.get((number, name.lower())) or file.stated.anew(value)
        new |= {f"header:{name.lower()}": anew} if anew else {}
    for at, value in pointer.leaves(request.json()):
        if isinstance(value, str) and MASKED.fullmatch(value):
            name = _word((pointer.tokens(at) or ["secret"])[-1])
            new[f"body:{at}"] = f"secret({name!r})" if "PASSWORD" in name else file.setting(name, f"the secret at {at}")
    return new


def _is_unique(at: str, value: str, step: Mapping[str, Any]) -> bool:
    """Whether a value must be new: a member that is unique by its name, of a call that made something."""
    made = step["status"] == CREATED or (200 <= step["status"] < 300 and not MASKED.search(step["body"] or ""))  # noqa: PLR2004 - the class of status
    name = (pointer.tokens(at.removeprefix("body:")) or [""])[-1].lower() if at.startswith("body:") else ""
    return step["method"] == "POST" and made and name in UNIQUE_NAMES and len(value) >= SHORTEST


def _request(step: Mapping[str, Any]) -> Request:
    return Request(
        method=step["method"],
        path=step["path"],
        query=tuple((name, value) for name, value in step["query"]),
        headers=tuple((name, value) for name, value in step["headers"]),
        body=None if step["body"] is None else step["body"].encode("utf-8", "surrogateescape"),
    )


def _path(path: str, new: Mapping[str, str]) -> str:
    """The path as a sum of what stands in it and of what is new in it."""
    parts: list[str] = [""]
    for index, segment in enumerate(path.split("/")):
        parts[-1] += "/" if index else ""
        if f"path:{index}" in new:
            parts += [f"quote(str({new[f'path:{index}']}), safe='')", ""]
        else:
            parts[-1] += segment
    return " + ".join(part if number % 2 else repr(part) for number, part in enumerate(parts) if part)


def _text(value: str, new: str | None) -> str:
    """A header's or parameter's value; a made-up credential is made up anew."""
    if new is not None:
        return f"str({new})"
    return f"{MASKED.sub('made-up', value)!r}"


def _body(body: str, new: Mapping[str, str]) -> str:
    """The bytes as they were sent; a JSON value dumped again where something in it is new."""
    inside = {at.removeprefix("body:"): value for at, value in new.items() if at.startswith("body:")}
    if not inside:
        return repr(body.encode("utf-8", "surrogateescape"))
    value = json.loads(body)
    return f"json.dumps({_literal(value, inside, 12)}).encode()"


def _literal(value: Any, new: Mapping[str, str], indent: int, at: str = "") -> str:
    """A JSON value as Python, with expressions at some pointers; what is long is a member a line."""
    if at in new:
        return f"str({new[at]})" if isinstance(value, str) else new[at]
    if isinstance(value, dict):
        parts = [
            f"{name!r}: {_literal(item, new, indent + 4, f'{at}/{pointer.escape(name)}')}"
            for name, item in value.items()
        ]
        return _joined("{", parts, "}", indent)
    if isinstance(value, list):
        return _joined(
            "[", [_literal(item, new, indent + 4, f"{at}/{index}") for index, item in enumerate(value)], "]", indent
        )
    return repr(value)


def _joined(opening: str, parts: Sequence[str], closing: str, indent: int) -> str:
    short = f"{opening}{', '.join(parts)}{closing}"
    if len(short) + indent <= WIDE:
        return short
    space = " " * (indent + 4)
    return "\n".join([opening, *(f"{space}{part}," for part in parts), " " * indent + closing])


def _word(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).upper()).strip("_") or "CALLER"


def _doc(text: str) -> str:
    """Text that may stand in a docstring."""
    return printable(text).replace("\\", "\\\\").replace('"""', "'''").rstrip('"')
