"""Walks a resource's list page by page, to find one thing in it or to have seen the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.promises import paging as pages
from harness.promises import walking
from harness.promises.resource.steps import step

if TYPE_CHECKING:
    from harness.case import Steps
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk came: the page on which the thing was, 0 where it was on none; `whole` says that all was seen.

    `reason` says why not all was.
    """

    page: int
    whole: bool
    reason: str = ""


def walk(
    stage: Stage, subject: Subject, identity: Identity, word: str, *, most: int = walking.MAX_PAGES
) -> Steps[Walk]:
    """Reads pages until the subject is on one, the list ends or the bound is met; a request's step is word|id|page."""
    operation = stage.contract.by_id[subject.resource.list]
    paging = replace(pages.paging(stage.contract, operation), items=subject.resource.items)
    shared = {item.name: subject.path[item.name] for item in operation.path_parameters if item.name in subject.path}
    walked = yield from walking.walk(
        stage,
        walking.Way(operation, paging, identity, subject.resource.id, shared),
        label=lambda number: step(word, subject.id, number),
        size=paging.largest,
        most=most,
        until=lambda walked: subject.id in walked.names or len(walked.names) < len(walked.items),
    )
    if subject.id in walked.names:
        return Walk(len(walked.pages), whole=False)
    if reason := walking.unanswered(walked):
        return Walk(0, whole=False, reason=reason)
    if len(walked.names) < len(walked.items):
        return Walk(0, whole=False, reason="its items do not all tell an id")  # so that none can be missed
    if not walked.whole:
        return Walk(0, whole=False, reason=walking.unended(walked))
    seen, total = len(set(walked.names)), walked.totals[-1] if walked.totals else None
    if total is not None and seen < total:
        return Walk(0, whole=False, reason=f"it tells a total of {total} and showed {seen}")
    return Walk(0, whole=True)
