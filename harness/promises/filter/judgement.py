"""What the answers of the cases of `filter` say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import values, walking
from harness.promises.filter import changed
from harness.promises.filter.cases import BASE, WIDE, forms
from harness.promises.filter.hidden import HIDDEN
from harness.promises.filter.model import fulfils, holds
from harness.promises.filter.rules import KEY, rules
from harness.promises.look import Look
from harness.promises.paging import names_of, paging
from harness.promises.planting import planted, source
from harness.promises.walking import walks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.filter.rules import Rule
    from harness.promises.walking import Walk
    from harness.verdict import Verdict

REFUSALS = {400, 404, 422}
TITLES: Mapping[str, tuple[str, Severity]] = {
    "filter.unfit": ("shows what its filter leaves out", Severity.MEDIUM),
    "filter.hidden": ("finds by what it does not show its caller", Severity.HIGH),
    "filter.missing": ("leaves out what its filter asks for", Severity.HIGH),
    "filter.total": ("tells a total that is not that of its filter", Severity.MEDIUM),
    "filter.refused": ("refuses to look for what a thing shows", Severity.LOW),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges every walk: what comes back fulfils the filter, what fulfils it comes back, the total counts just that."""
    look = Look(KEY, operation, TITLES)
    origin = source(contract, operation)
    if origin is None:
        return look.verdict()
    known = walks(exchanges, paging(contract, operation), origin.id)
    made = planted(origin.resource, exchanges)
    there = forms(
        {name: create.response.json() if create.response else None for name, create in made.items()}, known.get(BASE)
    )
    declared = rules(contract, operation)
    base = known.get(BASE)
    unseen = base is not None and base.answered and not set(there) & set(base.names)
    for name, walked in known.items():
        subject = name.rpartition(".")[2] if name.startswith(WIDE) else name.rpartition(".")[0]
        if name.startswith(HIDDEN):  # by another caller, to whom the things look otherwise
            _walked(look, contract, declared, walked, {}, "")
        elif name != BASE and not name.startswith(f"{changed.CHANGED}~"):
            _walked(look, contract, declared, walked, there, "" if unseen else subject)
    for rule, walked, wanted in changed.judged(known, declared):
        _walked(look, contract, declared, walked, wanted, rule.parameter)
    return look.verdict()


def _walked(
    look: Look, contract: Contract, declared: Sequence[Rule], walked: Walk, there: Mapping[str, Any], subject: str
) -> None:
    told = {rule.parameter: walked.told[rule.parameter] for rule in declared if rule.parameter in walked.told}
    asked = " and ".join(f"{name}={values.shown(text)!s}" for name, text in told.items())
    wanted = [name for name, form in there.items() if fulfils(declared, told, form)]
    last = walked.pages[-1]
    if last.outcome is Outcome.REFUSED and last.status in REFUSALS:
        look.examined += 1
        if wanted and _fits_schema(contract, look.operation, told):
            promised = "What a thing shows can be looked for."
            look.found("filter.refused", subject, promised, f"{asked} was answered {last.status}.", last)
        return
    if walking.unanswered(walked):
        look.reasons.append(walking.unanswered(walked))
        return
    look.examined += 1
    _unfit(look, declared, walked, told, asked)
    if not walked.whole:
        return
    lost = [name for name in wanted if name not in walked.names]
    look.examined += len(wanted)
    if lost:
        promised = "Whatever fulfils a filter comes back."
        seen = f"{asked} left out {len(lost)} of {len(wanted)} things that fulfil it."
        look.found("filter.missing", subject, promised, seen, *walked.pages)
    totals, count = set(walked.totals), len(walked.items)
    if len(totals) == 1 and totals != {count}:
        promised = "The total counts what fulfils the filter."
        seen = f"{asked} showed {count} things, and a total of {totals.pop()}."
        look.found("filter.total", "", promised, seen, *walked.pages)


def _unfit(look: Look, declared: Sequence[Rule], walked: Walk, told: Mapping[str, str], asked: str) -> None:
    for page in walked.pages:
        for item in walked.paging.items_of(page) or ():
            look.examined += 1
            broken = next((rule for rule in declared if rule.parameter in told and _breaks(rule, told, item)), None)
            if broken is not None:
                name = next(iter(names_of([item], walked.place)), "a thing")
                promised = f"Whatever comes back fulfils {broken.parameter}."
                look.found("filter.unfit", broken.parameter, promised, f"{asked} showed {name}, which does not.", page)
                return
            hiding = next((rule for rule in declared if rule.parameter in told and _hides(rule, told, item)), None)
            if hiding is not None:
                name = next(iter(names_of([item], walked.place)), "a thing")
                promised = f"{hiding.parameter} looks at nothing that the list does not show its caller."
                seen = f"{asked} showed {name}, in whose members that are shown it does not stand."
                look.found("filter.hidden", hiding.parameter, promised, seen, page)
                return


def _hides(rule: Rule, told: Mapping[str, str], item: Any) -> bool:
    """Whether an item can fulfil the rule only by a member that it does not show, where that is promised not to be."""
    return rule.shown and holds(rule, told[rule.parameter], item, absent=False) is False


def _breaks(rule: Rule, told: Mapping[str, str], item: Any) -> bool:
    return holds(rule, told[rule.parameter], item) is False


def _fits_schema(contract: Contract, operation: Operation, told: Mapping[str, str]) -> bool:
    """Whether the contract lets each parameter have its text."""
    for parameter in operation.parameters:
        if parameter.place != "query" or parameter.name not in told:
            continue
        text, validator = told[parameter.name], contract.validator(parameter.pointer)
        number = values.number(text)
        forms_of = [text, *([int(number) if number == int(number) else float(number)] if number is not None else [])]
        if validator is None or not any(validator.is_valid(form) for form in forms_of):
            return False
    return True
