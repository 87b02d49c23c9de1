"""The cases of `upload`: valid calls around many that are refused, and files beyond what is promised."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isqrt
from typing import TYPE_CHECKING, Any

from harness.case import Case, Pause, one
from harness.contract.form import asked_of
from harness.contract.padding import padded
from harness.contract.picture import MOST_PIXELS, png
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import broken_files, survey
from harness.promises.look import GATES
from harness.promises.resource.steps import step
from harness.promises.upload.steps import (
    ANOTHER,
    BROKEN,
    BYTES,
    CONTROL,
    KEY,
    LAST,
    LATER,
    PIXELS,
    SIDE,
    STILL,
    TRIAL,
    VALID,
    WITHIN,
    fails,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.stage import Stage

MOST_BROKEN = 32
# One limit lets these through too: the valid call before the broken ones, after them, and once more.
VALID_CALLS = 3
# What is cut off goes farthest into a server before it is refused.
FARTHEST = ("half", "begun", "text", "empty")
PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0
MOST_BYTES = 32 * 1024 * 1024
# Half of what is declared, as some APIs have a least size too; between these.
SIDE_PIXELS, MOST_SIDE_PIXELS = 16, 256
ONE_PNG = "image/png"
PNG = {ONE_PNG, "image/*", "*/*", "application/octet-stream"}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation takes a form with a file, and the promise is not switched off."""
    form = operation.form_body()
    if operation.reads or form is None or operation.promises.get(KEY) is False:
        return False
    return bool(asked_of(contract, form)) and not survey.may_change_caller(operation)


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One for what refused files leave; one more where bounds are declared."""
    if not applies(contract, operation):
        return ()
    kept = Case(KEY, operation.id, "kept", partial(_kept, operation))
    return (kept, Case(KEY, operation.id, "bounds", partial(_bounds, operation))) if told(operation) else (kept,)


def told(operation: Operation) -> Mapping[str, Any]:
    """What the operation declares; nothing where it declares none."""
    found = operation.promises.get(KEY)
    return found if isinstance(found, dict) else {}


def bounded(operation: Operation) -> bool:
    """Whether bounds of pictures are declared, so that the file of a valid call is one that is known to fit."""
    return bool({"max_pixels", "max_side"} & set(told(operation)))


def side(operation: Operation) -> int:
    """How many pixels wide and high a picture is that is known to fit."""
    bounds, large = told(operation), 2 * MOST_SIDE_PIXELS
    most: int = min(bounds.get("max_side", large), isqrt(bounds.get("max_pixels", large**2)), large)
    return min(most, max(SIDE_PIXELS, most // 2))


def asked(contract: Contract, operation: Operation) -> set[str]:
    """The media types that the file of the form may have."""
    form = operation.form_body()
    kinds = asked_of(contract, form) if form is not None else ""
    return {kind.split(";")[0].strip().lower() for kind in kinds.split(",")}


def _kept(operation: Operation, stage: Stage) -> Steps[None]:
    """A valid call, many that are refused, and the valid call again; once more where that failed."""
    word = STILL if stage.again else CONTROL
    base = yield from survey.ready(stage.contract, operation, stage, word)
    control = yield from one(base)
    if stage.again and fails(control):
        yield from _once_more(operation, stage, base, control)
        return
    _fine(control)
    yield from _refused(operation, stage)
    last = yield from one(replace(base, step=LAST))
    if fails(last):
        yield from _once_more(operation, stage, base, last)


def _fine(exchange: Exchange) -> None:
    if exchange.outcome is not Outcome.OK:
        given = exchange.status or exchange.error
        raise CannotTell(f"{exchange.operation} answered {given} to a form that fits its schema")


def _once_more(operation: Operation, stage: Stage, base: Request, failed: Exchange) -> Steps[None]:
    """The valid call after as long as is told, and after that by another caller on another thing."""
    for word in (LATER, ANOTHER):
        wait_s = max(failed.retry_after_s or 0.0, PAUSE_S)
        if wait_s > LONGEST_PAUSE_S:
            raise CannotTell(f"{operation.id} answered {failed.status} and says to come again after {wait_s:.0f} s")
        yield Pause(wait_s)
        again = replace(base, step=LATER)
        if word == ANOTHER:
            again = yield from survey.ready(stage.contract, operation, stage, ANOTHER)
        failed = yield from one(again)
        if not fails(failed):
            return


def _refused(operation: Operation, stage: Stage) -> Steps[None]:
    """Forms whose file is none: one of each kind, then the one of them that is refused and goes farthest."""
    room, most = survey.room(operation), MOST_BROKEN
    if not (operation.secured and stage.actors.can_register):
        most = min(most, room + 1 - VALID_CALLS)
    if most < 1:
        raise CannotTell(f"{operation.id}: its rate limit leaves no room for a call that is refused")
    left, refused = list(FARTHEST), [""]
    made: dict[str, Request] = {}
    for sent in range(most):
        if sent % room == 0:
            base = yield from survey.ready(stage.contract, operation, stage, BROKEN)
            made = broken_files.of(base)
        word = left.pop(0) if left else refused[1]
        answer = yield from one(replace(made[word], step=step(BROKEN, word)))
        if fails(answer):
            return
        if answer.outcome is Outcome.REFUSED and answer.status not in GATES:
            refused.append(word)
        if not left and len(refused) == 1:
            raise CannotTell(f"{operation.id} refused none of the forms whose file is none")


def _bounds(operation: Operation, stage: Stage) -> Steps[None]:
    """A valid picture, then each that is not to be taken; on fresh things as often as a limit asks for."""
    room, sent = survey.room(operation), 1
    base = yield from _picture(operation, stage)
    _fine((yield from one(base)))
    for word, more, file in _trials(told(operation), broken_files.data(base) or b""):
        if sent % room == 0:
            base = yield from _picture(operation, stage)
        yield from one(replace(broken_files.holding(base, file), step=step(TRIAL, word, more)))
        sent += 1
    if "max_bytes" in told(operation):
        yield from _sized(operation, stage, told(operation)["max_bytes"])


def _sized(operation: Operation, stage: Stage, most: int) -> Steps[None]:
    """A file of one byte too many, then one of as many as there may be; each on a fresh thing."""
    if most > MOST_BYTES:
        raise CannotTell(f"{operation.id}: files of {most} bytes are more than is sent here: {MOST_BYTES}")
    for word, size in ((step(TRIAL, BYTES, most + 1), most + 1), (step(WITHIN, BYTES, most), most)):
        base = yield from _picture(operation, stage)
        file = padded(broken_files.data(base) or b"", size, asked(stage.contract, operation))
        if file is None:
            raise CannotTell(f"{operation.id}: no file of {size} bytes can be made of those that it takes")
        yield from one(replace(broken_files.holding(base, file), step=word))


def _picture(operation: Operation, stage: Stage) -> Steps[Request]:
    """A valid call; its file is a PNG where bounds of pictures are to be passed."""
    base = yield from survey.ready(stage.contract, operation, stage, VALID)
    if not bounded(operation):
        return base
    kinds = asked(stage.contract, operation)
    if not PNG & kinds:
        raise CannotTell(f"{operation.id} takes {', '.join(sorted(kinds))}; only a PNG of any size can be made")
    return broken_files.holding(base, png(side(operation), side(operation)), kind=ONE_PNG, name="file.png")


def _trials(bounds: Mapping[str, Any], whole: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Each file that is to be refused, with the bound that it breaks and how."""
    pixels, side = bounds.get("max_pixels"), bounds.get("max_side")
    if pixels is not None:
        wide = isqrt(pixels) + 1
        if side is None or wide <= side:
            yield PIXELS, f"{wide} x {wide}", _made(wide, wide)
            yield PIXELS, f"{wide} x {wide} told and {wide} x 1 sent", png(wide, wide, rows=1)
    if side is not None and (pixels is None or side < pixels):
        yield SIDE, f"{side + 1} x 1", _made(side + 1, 1)
    if bounds.get("whole"):
        for word, file in broken_files.parts(whole).items():
            yield BROKEN, word, file


def _made(width: int, height: int) -> bytes:
    if width * height > MOST_PIXELS:
        raise CannotTell(f"a picture of {width} x {height} pixels is more than is made here: {MOST_PIXELS}")
    return png(width, height)
