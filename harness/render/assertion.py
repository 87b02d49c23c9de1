"""What a finding's answers must be for its promise to hold, as lines of Python for a test that stands alone.

`answers` are those of the finding's steps, in their order. Only what a sequence of answers shows can be told so: a
race, a limit or a load cannot, and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract import pointer
from harness.contract.operation import ELSEWHERE
from harness.render import answered, listing, many, message, origin, removal, repeated, tagged, tenancy, walked, writing
from harness.render.asked import Asked, sent, status
from harness.render.message import MOST_BODY
from harness.render.repeated import CUT, TOGETHER
from harness.render.rule import LACKING, Unstated
from harness.render.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract import Contract
    from harness.finding import Finding

COUNTED = "it is told by counting many calls against a window of time"
MEASURED = "it is told by a load"
KEPT = "it is told by the time between a change and a read, and by what was kept before it, maybe in another worker"
MARKED = "it is told by holding each thing of a list against the operators of its filter, which needs the harness"
WHY = {
    "rate-limit": COUNTED,
    "objective": MEASURED,
    "ledger": "many calls at one instant show it, by an account of them all",
    "idempotency.no-effect": CUT,
    "leaks.secret": "it is told by secrets that the run gave out or by hashes of any form, which no file may hold",
    **dict.fromkeys(("cache.stale", "cache.went-back", "cache.outlived"), KEPT),
    "cache.crossed": "it takes what each of two callers planted, and an answer that is still kept from the first",
    "filter.unfit": MARKED,
    "filter.missing": MARKED,
    "version.not-raised": "it is told by what else the write changed, which a line cannot compare",
    "fuzz.allow_header_conformance": "its Allow is told by the whole contract: the finding of `http.allow` says it",
    "fuzz.use_after_free": "its delete is one of a chain that was drawn: the finding of `delete.read` says it",
    "credentials": "it takes credentials that are forged or spent for the purpose",
    "upload.kept": "it takes dozens of calls that are refused, and a server that none has spoilt before",
    "cookie": "the browser is signed in during the run, and no file may hold its cookies",
    "key": "the key is issued and spent in the run, and no file may hold one",
    "http.never-served": "it takes waits as long as the server asks for, and others that are served meanwhile",
    "writes.bound": "a value within the bound is tried first, on a thing of its own, with texts that are nobody else's",
    "delete.file": "the file is added in the run, and told under an address of its own",
    "trail": "its caller is made in the run, and the entry names nobody else",
    "version.two-winners": TOGETHER,
    "version.no-winner": TOGETHER,
    "scenario": "it is a test of the project's own already",
}


def asserted(contract: Contract, finding: Finding, patterns: Mapping[tuple[str, str], str]) -> Stated:
    """The lines, and what is sent anew; raises Unstated with the reason where no such test can be written."""
    key = finding.code.partition(".")[0]
    operation = contract.by_id.get(finding.operation) if finding.operation else ELSEWHERE
    make = MADE.get(finding.code)
    if make is None and (finding.code in WHY or key in WHY):
        raise Unstated(WHY.get(finding.code) or WHY[key])
    if operation is None or not finding.reproduction.steps:
        raise Unstated("no sequence of requests was cut for it")
    if make is None:
        raise Unstated("no assertion is known for its class")
    told = make(Asked(contract, operation, finding, patterns))
    return told if isinstance(told, Stated) else Stated(told)


def _allowed(asked: Asked) -> list[str]:
    """One that may not call is not let in."""
    return [status(_tried(asked), "not in range(200, 300)")]


def _refused(asked: Asked) -> list[str]:
    """One that may call is not turned away."""
    return [status(_tried(asked), "not in (401, 403, 404)")]


def _gate(asked: Asked) -> list[str]:
    """A refusal has the promised status."""
    finding, contract = asked.finding, asked.contract
    key = finding.code.partition(".")[0]
    told = contract.promise(key, asked.operation) or {}
    if finding.kind == "existence":
        return _existence(asked)
    if key == "owner":
        wanted = told.get("stranger", 403)
    else:
        wanted = told.get("anonymous", 401) if finding.kind == "anonymous" else told.get("refused", 403)
    return [status(_tried(asked), f"== {wanted}")]


def _existence(asked: Asked) -> list[str]:
    """What a stranger may not see answers as two ids that name nothing."""
    by_word = {str(step["step"]).partition(":")[0]: number for number, step in enumerate(asked.steps)}
    real, before, after = (
        by_word.get("may-not", by_word.get("stranger")),
        by_word.get("made-up-1"),
        by_word.get("made-up-2"),
    )
    if real is None or before is None or after is None:
        raise Unstated(LACKING)
    return [f"check(answers[{real}], lambda answer: alike(answer, answers[{before}], answers[{after}]))"]


def _effect(asked: Asked) -> list[str]:
    """What was refused has changed nothing that lasts between two reads."""
    kind = asked.finding.kind
    before, after = asked.word(f"before:{kind}"), asked.word(f"after:{kind}")
    again = next((number for number, step in enumerate(asked.steps) if step["step"] == f"again:{kind}"), after)
    return [
        status(after, "not in (404, 410)"),
        f"check(answers[{after}], lambda answer: lasting(answers[{before}], answer, answers[{again}]))",
    ]


def _tried(asked: Asked, label: str = "") -> int:
    label = label or asked.finding.kind
    return asked.word(f"may-not:{label}", f"may:{label}")


def _readable(asked: Asked) -> list[str]:
    """What was made or changed is read with the values that were sent."""
    made, read = asked.word("made", "updated"), len(asked.steps) - 1
    place = asked.finding.kind
    lines = [status(read, "in range(200, 300)")]
    if place:
        value = pointer.get(sent(asked.steps[made]), place)
        if value is pointer.MISSING or "*" in place:
            raise Unstated("the value that was sent does not stand in its sequence")
        lines.append(f"check(answers[{read}], lambda answer: answer.at({place!r}) == {value!r})")
    return lines


def _listed(asked: Asked) -> list[str]:
    """What was made stands in the list, where that is one page."""
    page = asked.word("listed-later")
    told = str(asked.steps[page]["step"]).split("|")
    resource = asked.contract.resource_of(asked.operation.id)
    if told[-1] != "1" or resource is None:
        raise Unstated("it takes every page of a list, and its sequence holds the last")
    id_ = asked.origin(asked.word("found-by-id"), told[1])
    place = f"{listing.items(asked.contract, asked.operation)!r}, {resource.id!r}"
    return [
        f"done(answers[{asked.word('found-by-id')}])",
        f"check(answers[{page}], lambda answer: str({id_}) in names(answer, {place}))",
    ]


def _apart(asked: Asked) -> list[str]:
    """What lies under one thing is not found under another."""
    near, far = asked.word("near"), asked.word("far")
    test = f"answer.status not in range(200, 300) or answer.json() != answers[{near}].json()"
    return [f"done(answers[{near}])", f"check(answers[{far}], lambda answer: {test})"]


def _out_of_bounds(asked: Asked) -> list[str]:
    """A page or an order that there is not is refused with the promised status."""
    key = asked.finding.code.partition(".")[0]
    told = asked.contract.promise(key, asked.operation) or {}
    if told.get("over") == "capped" and asked.finding.kind.endswith(" over"):
        raise Unstated("it is told by how much the answer holds")
    return [status(asked.last, f"in {tuple(told.get('refused', (400, 422)))!r}")]


def _stale(asked: Asked) -> list[str]:
    """A write with a stale version, or without one, gets the promised status."""
    told = asked.contract.promise("version", asked.operation) or {}
    if asked.finding.kind == "unversioned":
        return [status(asked.last, f"== {told['missing']}")]
    forms = told.get("forms", ())
    form = next((form for form in forms if asked.finding.kind.startswith(f"{form['in']} {form['name']}")), None)
    if form is None:
        raise Unstated("its promise has no such form any more")
    second = next((number for number, step in enumerate(asked.steps) if str(step["step"]).startswith("second|")), None)
    if second is None:
        raise Unstated(TOGETHER)
    return [status(second, f"== {form['stale']}")]


def _assigned(asked: Asked) -> list[str]:
    """The member that is the server's to set does not hold what the client sent."""
    place = asked.finding.kind
    trial = next((n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("trial|")), None)
    value = pointer.MISSING if trial is None else pointer.get(sent(asked.steps[trial]), place)
    if trial is None or value is pointer.MISSING or "*" in place:
        raise Unstated("the value that was sent does not stand in its sequence")
    shown = [n for n, step in enumerate(asked.steps) if str(step["step"]).startswith("trial-shown|")]
    answer = asked.operation.success()
    told = [asked.contract.schema(body.schema).get("properties") for body in answer.bodies] if answer else []
    if not shown and (not told or any(names is not None and pointer.tokens(place)[0] not in names for names in told)):
        raise Unstated("its answer does not show what was taken")
    shown = shown or [trial]
    return [f"check(answers[{shown[-1]}], lambda answer: answer.status >= 400 or answer.at({place!r}) != {value!r})"]


def _beyond(asked: Asked) -> list[str]:
    """A file that is not to be taken is refused, where a valid one is taken."""
    return [f"done(answers[{asked.word('valid')}])", status(_held(asked, asked.word("trial")), "in range(400, 500)")]


def _served_too(asked: Asked) -> list[str]:
    """What another transport was sent is taken there."""
    told = [str(step["step"]).partition("|")[0] for step in asked.steps]
    own = [number for number, word in enumerate(told) if word.startswith("may:") and word.endswith(asked.finding.kind)]
    if not own:
        raise Unstated(LACKING)
    return [status(own[-1], "not in (400, 413, 415, 422)")]


def _taken(asked: Asked) -> list[str]:
    """A file within the bounds is taken, and one of as many bytes as there may be where a small one is."""
    valid = asked.word("valid")
    if asked.finding.kind != "bytes":
        return [status(valid, "not in (400, 413, 415, 422)")]
    return [f"done(answers[{valid}])", status(_held(asked, asked.word("within")), "!= 413")]


def _held(asked: Asked, number: int) -> int:
    """The number of a step whose body is short enough to stand in a file."""
    if len(asked.steps[number]["body"] or "") > MOST_BODY:
        raise Unstated(f"its file is longer than the {MOST_BODY} bytes that a test holds")
    return number


def _unmarked(asked: Asked) -> list[str]:
    """The last answer does not have the mark of a finding of the fuzzing (harness/expected.py)."""
    mark = asked.finding.reproduction.parameters.get("expect") or {}
    if not mark or set(mark) - {"status", "unclear", "header_absent"}:
        raise Unstated("its finding does not say by what its answer is told")
    number = len(asked.steps) - 1
    lines = [f"clear(answers[{number}], {mark.get('unclear', [])!r})"]
    shown = f"answer.is_one_of({[str(item).upper() for item in mark['status']]!r})"
    if "header_absent" in mark:
        shown += f" and answer.header({mark['header_absent']!r}) is None"
    return [*lines, f"check(answers[{number}], lambda answer: not ({shown}))"]


MADE: Mapping[str, Callable[[Asked], list[str] | Stated]] = {
    **origin.MADE,
    **many.MADE,
    **message.MADE,
    **repeated.MADE,
    **removal.MADE,
    **tagged.MADE,
    **tenancy.MADE,
    **walked.MADE,
    **writing.MADE,
    **dict.fromkeys(("roles.anonymous-allowed", "roles.role-allowed", "owner.stranger-allowed"), _allowed),
    **dict.fromkeys(("roles.role-refused", "owner.owner-refused", "owner.role-refused"), _refused),
    **dict.fromkeys(("roles.status", "owner.status"), _gate),
    **dict.fromkeys(("roles.effect", "owner.effect"), _effect),
    **dict.fromkeys(("resource.create-not-readable", "resource.update-lost"), _readable),
    "resource.not-listed": _listed,
    "resource.hierarchy": _apart,
    **dict.fromkeys(("page.bounds", "sort.unknown"), _out_of_bounds),
    "resource.mass-assignment": _assigned,
    **dict.fromkeys(("upload.bounds", "upload.broken"), _beyond),
    "upload.refused": _taken,
    "transports.refused": _served_too,
    **dict.fromkeys(("version.lost-update", "version.missing-accepted", "version.status"), _stale),
    "schema.undocumented-status": answered.documented,
    "schema.server-error": lambda asked: [status(asked.last, "< 500")],
    "schema.invalid-input-accepted": lambda asked: [status(asked.last, "in range(400, 500)")],
    "schema.content-type": answered.media,
    "schema.missing-header": answered.header,
    **dict.fromkeys(("schema.body", "envelope.shape"), answered.shape),
    **dict.fromkeys(("headers.missing", "headers.value", "headers.forbidden"), answered.promised_header),
    **dict.fromkeys(("leaks.stack", "leaks.sql", "leaks.path"), answered.leak),
    **dict.fromkeys(
        (
            "fuzz.unsupported_method",
            "fuzz.ignored_auth",
            "fuzz.missing_required_header",
            "fuzz.positive_data_acceptance",
            "fuzz.ensure_resource_availability",
        ),
        _unmarked,
    ),
}
