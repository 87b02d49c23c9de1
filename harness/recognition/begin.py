"""`harness init`: reads a document, sends a few harmless reads where an address is told, and writes the two files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.archive import write_text
from harness.config import FILE
from harness.contract.document import parsed, read_file
from harness.errors import UsageError
from harness.recognition import configuration, overlay, seen, survey
from harness.session import DOCUMENT_PATHS, read_contract
from harness.targets import UrlTarget, fetched

MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was told: an address, a document (a file, or a path on the address), where to write."""

    url: str = ""
    contract: str = ""
    output: Path = Path("overlay.yaml")
    allow_remote: bool = False


def begun(asked: Asked) -> str:
    """Writes the overlay and harness.toml beside it and says what they hold.

    Raises UsageError where a file is there already, before anything is sent, and TargetError where nothing answers.
    """
    _free(asked)
    url = ""
    if asked.url:
        with UrlTarget(asked.url, allow_remote=asked.allow_remote) as target:
            url = target.url
    value, name, file = _document(url, asked.contract)
    contract = read_contract(value, name, [])
    reads = seen.reads(contract, url) if url else []
    found = survey.recognised(contract, reads)
    source = f"{name} ({len(contract.operations)} operations)" + (f" and {len(reads)} reads of {url}" if reads else "")
    write_text(asked.output, overlay.written(contract, source, found.signs, found.unknown))
    place = asked.output.parent / FILE
    write_text(place, configuration.written(
        url=url, document=_from(place, file), overlay=asked.output.name, login=found.login, register=found.register,
        key=found.key, tenant=found.tenant,
    ))  # fmt: skip
    return _said(asked, found, place, name)


def _free(asked: Asked) -> None:
    taken = [path for path in (asked.output, asked.output.parent / FILE) if path.exists()]
    if taken:
        fix = "choose another folder with --output FOLDER/overlay.yaml, and take over what you need"
        raise UsageError("init writes over no file", [f"{path} is there already; {fix}" for path in taken])
    if not asked.output.absolute().parent.is_dir():
        raise UsageError(f"--output is {asked.output}, and {asked.output.parent} is no folder; make it first")


def _document(url: str, contract: str) -> tuple[object, str, Path | None]:
    """The parsed document, its name, and its file where it is one."""
    if contract and (not url or Path(contract).exists()):
        return read_file(Path(contract)), contract, Path(contract)
    if not url:
        raise UsageError(
            "neither --url nor --contract is given", ["give --contract F, the OpenAPI document, or --url U"]
        )
    failures = []
    for path in (contract,) if contract else DOCUMENT_PATHS:
        try:
            return parsed(fetched(url, path), f"{url}{path}"), f"{url}{path}", None
        except UsageError as error:
            if contract:
                raise
            failures.append(str(error))
    raise UsageError("no OpenAPI document was found; name a file or a path with --contract", failures)


def _from(place: Path, file: Path | None) -> str:
    """How harness.toml names the document: from its own folder where it lies below, else whole."""
    if file is None:
        return ""
    whole, folder = file.absolute(), place.absolute().parent
    return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else whole.as_posix()


def _said(asked: Asked, found: survey.Recognised, place: Path, name: str) -> str:
    sure: dict[str, list[str]] = {}
    for sign in found.signs:
        sure.setdefault(sign.key if sign.sure else f"{sign.key}, to be looked at", []).append(
            sign.name or sign.operation
        )
    lines = [f"{asked.output} and {place} are written from {name}"]
    for key, names in sure.items():
        told = [item for item in names if item]
        more = f" and {len(told) - MAX_NAMED} more" if len(told) > MAX_NAMED else ""
        lines.append(f"  {key}: {', '.join(told[:MAX_NAMED]) + more if told else 'every operation'}")
    for table, entrance in (("register", found.register), ("login", found.login)):
        lines.append(f"  identities.{table}: {entrance.operation if entrance else 'not recognised'}")
    lines.append(f"  {len(found.unknown)} things are not recognised; the overlay says how to tell each")
    return "\n".join(lines)
