"""What the answers of the cases of `upload` say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import broken_files
from harness.promises.look import GATES, Look
from harness.promises.resource.steps import each, first, parts, settled, succeeded
from harness.promises.schema import says_no
from harness.promises.upload.cases import ONE_PNG, asked, bounded, side, told
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
    from collections.abc import Mapping, Sequence
    from typing import Any

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.verdict import Verdict

# What a server answers that could not read a file or did not want one; not who sent it, nor that it came at a bad time.
REFUSALS = {400, 413, 415, 422}
TOO_LARGE = 413
TITLES: Mapping[str, tuple[str, Severity]] = {
    "upload.bounds": ("takes a file beyond its bounds", Severity.HIGH),
    "upload.broken": ("takes a file that is broken or none", Severity.MEDIUM),
    "upload.refused": ("refuses a file within its bounds", Severity.MEDIUM),
    "upload.kept": ("fails on valid files once it refused broken ones", Severity.HIGH),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges whichever of the cases the exchanges hold."""
    look = Look(KEY, operation, TITLES)
    exchanges = settled(exchanges)
    _kept(look, exchanges)
    _bounds(look, contract, operation, exchanges)
    return look.verdict()


def _kept(look: Look, exchanges: Sequence[Exchange]) -> None:
    """After calls that were refused a valid one is answered, at the latest when it comes again."""
    still = first(exchanges, STILL)
    control, last = first(exchanges, CONTROL) or still, first(exchanges, LAST)
    refused = [item for item in each(exchanges, BROKEN) if item.outcome is Outcome.REFUSED and item.status not in GATES]
    if still is not None and fails(still):
        control, last = None, still  # what a run before this one saw may last, so that no valid call can come first
    elif not refused:
        return
    if last is None:
        return
    later, another = first(exchanges, LATER), first(exchanges, ANOTHER)
    if not fails(last):
        look.examined += len(refused) if look.answered(last) else 0
    elif later is None:
        look.reasons.append(f"{last.operation} gave {_given(last)}, and was not asked again")
    elif not fails(later) or (another is not None and not fails(another)):
        look.examined += len(refused) if look.answered(another or later) else 0
    elif another is None:
        look.reasons.append(f"{last.operation} gave {_given(later)}, and was not asked by another")
    else:
        look.examined += max(1, len(refused))
        promised = f"What {last.operation} refuses takes nothing from the calls that follow."
        seen = f"A valid call was answered {_given(last)}, after a pause {_given(later)}, another caller's "
        before = f"before it came {len(refused)} that were refused ({refused[0].status})" if refused else ""
        seen += f"{_given(another)}; {before or 'in a run before this one so did others, after some were refused'}."
        look.found("upload.kept", "", promised, seen, control, *refused[:1], last, later, another)


def _given(exchange: Exchange) -> str:
    return str(exchange.status) if exchange.status else f"not at all ({exchange.error})"


def _bounds(look: Look, contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """Each file beyond what is declared is refused, where a valid one is taken."""
    valid, bounds = first(exchanges, VALID), told(operation)
    # What takes any picture, as far as the document says, may take no PNG.
    sure = bounded(operation) and ONE_PNG in asked(contract, operation) and _small(valid, bounds)
    if valid is not None and sure and valid.status in REFUSALS:
        promised = f"{operation.id} takes pictures of its media types within its bounds."
        size = f"{side(operation)} x {side(operation)}"
        seen = f"A PNG of {size} pixels, in a form that fits its schema, got {valid.status}."
        look.examined += 1
        look.found("upload.refused", "", promised, seen, valid)
    if valid is None or not succeeded(valid):
        return
    taken = _within(look, bounds, valid, first(exchanges, WITHIN))
    for trial in each(exchanges, TRIAL):
        _, word, more = parts(trial)
        if not look.answered(trial):
            continue
        if word == BYTES and not taken and not succeeded(trial):
            continue  # it may be refused for what made it long
        look.examined += 1
        if not succeeded(trial) or (trial.response is not None and says_no(trial.response)):
            continue
        if word == BROKEN:
            promised = f"{operation.id} refuses a file that is broken, cut off or none."
            look.found("upload.broken", more, promised, f"A file ({more}) was answered {trial.status}.", valid, trial)
            continue
        if word == BYTES:
            promised = f"{operation.id} takes files of at most {bounds.get('max_bytes')} bytes."
            look.found("upload.bounds", word, promised, f"One of {more} was answered {trial.status}.", valid, trial)
            continue
        least = {PIXELS: f"{bounds.get('max_pixels')} pixels", SIDE: f"{bounds.get('max_side')} pixels a side"}[word]
        sent = len(trial.request.body or b"")
        seen = f"A picture ({more} pixels) in a form of {sent} bytes was answered {trial.status}."
        look.found("upload.bounds", word, f"{operation.id} takes pictures of at most {least}.", seen, valid, trial)


def _small(valid: Exchange | None, bounds: Mapping[str, Any]) -> bool:
    """Whether the valid file has no more bytes than files may have."""
    size = len(broken_files.data(valid.request) or b"") if valid is not None else 0
    return size <= int(bounds.get("max_bytes", size))


def _within(look: Look, bounds: Mapping[str, Any], valid: Exchange, within: Exchange | None) -> bool:
    """Whether a file of as many bytes as there may be was taken; that it is too large is a finding.

    Another refusal may be of what made it long.
    """
    if within is None or not look.answered(within):
        return False
    if succeeded(within):
        look.examined += 1
        return True
    if within.status != TOO_LARGE:
        look.reasons.append(f"{within.operation} answered {within.status} to a file that was filled up to its bound")
        return False
    look.examined += 1
    promised = f"{within.operation} takes files of at most {bounds.get('max_bytes')} bytes."
    seen = f"A small one was answered {valid.status}, one of {parts(within)[2]} bytes {within.status}."
    look.found("upload.refused", BYTES, promised, seen, valid, within)
    return False
