"""What would be started for `[target.containers]`: images, services, the API and what comes before it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.config import filled
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.targets.drawn import Drawn

KEY = "target.containers"
API = "api"
DOCKERFILE = "Dockerfile"
PYTHON = "python"
SCRATCH = "/tmp"  # noqa: S108 - a path in the container, on a memory of its own


@dataclass(frozen=True, slots=True)
class Build:
    """The image that is built for the run."""

    context: Path
    dockerfile: Path
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """A container beside the API, reached from it by its name; `ready` ends with 0 in it once it can be used."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    tmpfs: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is started, in its order: `prepare` here, services, image, `set_up` in one-off containers, the API.

    `image` is empty where `build` says how one is made. `data` is a folder that set-up and API share, on a volume of
    the run. `restricted` is a read-only root, no capability and none to be gained.
    """

    images: Mapping[str, str]
    build: Build | None
    image: str
    services: tuple[Service, ...]
    prepare: tuple[tuple[str, ...], ...]
    set_up: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    port: int
    data: str
    restricted: bool

    def describe(self) -> str:
        """The images, for a report; no secrets."""
        own = f"{self.build.dockerfile.name} ({', '.join(self.build.arguments.values())})" if self.build else self.image
        return ", ".join([own, *(service.image for service in self.services)])

    def variable(self, image: str) -> str:
        """The environment variable that names an image; empty where none does."""
        return next((name for name, named in self.images.items() if named == image), "")


@dataclass(slots=True)
class _Filler:
    """Fills templates and keeps what has no value."""

    values: Mapping[str, str]
    environment: Mapping[str, str]
    drawn: Drawn
    problems: list[str] = field(default_factory=list)

    def text(self, place: str, template: str, **more: str) -> str:
        try:
            return str(filled(self.drawn.filled(template), {**self.values, **more}, self.environment))
        except UsageError as error:
            self.problems.append(f"{KEY}.{place}: {error}")
            return ""

    def words(self, place: str, templates: Sequence[str], **more: str) -> tuple[str, ...]:
        return tuple(self.text(place, template, **more) for template in templates)

    def texts(self, place: str, templates: Mapping[str, str]) -> dict[str, str]:
        return {name: self.text(f"{place}.{name}", template) for name, template in templates.items()}


def planned(
    told: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    drawn: Drawn,
    *,
    command: Sequence[str] = (),
) -> Plan:
    """The plan of a checked table; raises UsageError with every problem at once.

    `{NAME}` of the table `images` stands for that image, or for the one that the environment's NAME names; `{port}` and
    `{data}` are the API's, `{python}` is `python` in a container and this interpreter in `prepare`. `command` replaces
    the API's own.
    """
    images = {name: environment.get(name) or default for name, default in told.get("images", {}).items()}
    data = told.get("data", "")
    values = {**images, "port": str(told["port"]), "data": data, "python": PYTHON}
    filler = _Filler(values, environment, drawn)
    plan = Plan(
        images=images,
        build=_build(told, folder, filler),
        image=filler.text("image", told.get("image", "")),
        services=tuple(_service(name, entry, filler) for name, entry in told.get("services", {}).items()),
        prepare=tuple(
            filler.words("prepare", words, python=sys.executable, folder=str(folder))
            for words in told.get("prepare", ())
        ),
        set_up=tuple(filler.words("set_up", words) for words in told.get("set_up", ())),
        command=filler.words("command", command or told.get("command", ())),
        environment=filler.texts("environment", told.get("environment", {})),
        port=told["port"],
        data=data,
        restricted=told.get("restricted", False),
    )
    problems = [*_problems(told, plan), *filler.problems]
    if problems:
        raise UsageError(f"[{KEY}] has {len(problems)} problem{'s' if len(problems) > 1 else ''}", problems)
    return plan


def _build(told: Mapping[str, Any], folder: Path, filler: _Filler) -> Build | None:
    if "build" not in told:
        return None
    context = folder / told["build"].get("context", ".")
    arguments = filler.texts("build.arguments", told["build"].get("arguments", {}))
    return Build(context, context / told["build"].get("dockerfile", DOCKERFILE), arguments)


def _service(name: str, entry: Mapping[str, Any], filler: _Filler) -> Service:
    place = f"services.{name}"
    return Service(
        name,
        filler.text(f"{place}.image", entry["image"]),
        filler.words(f"{place}.command", entry.get("command", ())),
        filler.texts(f"{place}.environment", entry.get("environment", {})),
        tuple(entry.get("tmpfs", ())),
        filler.words(f"{place}.ready", entry.get("ready", ())),
    )


def _problems(told: Mapping[str, Any], plan: Plan) -> list[str]:
    """What no placeholder is to blame for."""
    found = []
    ways = [key for key in ("build", "image") if key in told]
    if len(ways) != 1:
        found.append(f"{KEY}: it has {' and '.join(ways) or 'neither'} of build and image; give one")
    if plan.build and not plan.build.context.is_dir():
        found.append(f"{KEY}.build.context: {plan.build.context} is no folder; name the one that holds the Dockerfile")
    elif plan.build and not plan.build.dockerfile.is_file():
        found.append(f"{KEY}.build.dockerfile: {plan.build.dockerfile} is not there; write it, or name another")
    if any(service.name == API for service in plan.services):
        found.append(f"{KEY}.services.{API}: this is the API's own name; choose another")
    return found


def labelled(dockerfile: str, labels: Mapping[str, str]) -> str:
    """A Dockerfile each of whose stages begins with the labels, so that every image made on the way has them too."""
    told = "LABEL " + " ".join(f'{name}="{value}"' for name, value in labels.items())
    lines, continued, is_from = [], False, False
    for line in dockerfile.splitlines():
        lines.append(line)
        if not continued:
            is_from = line.strip().upper().startswith("FROM ")
        continued = line.rstrip().endswith("\\")
        if is_from and not continued:
            lines.append(told)
            is_from = False
    return "\n".join(lines) + "\n"
