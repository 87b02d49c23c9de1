"""What is planted is one thing each, at operations of the document, and an application is built with each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness.codes import CODES
from reference_impl.application import Application, Parts
from reference_impl.defects.catalogue import DEFECTS

if TYPE_CHECKING:
    from reference_impl.defects.defect import Defect
    from reference_impl.settings import Settings

PATTERNS = (
    "01 02 03a 03b 04 05 06 07 08a 08b 10a 10b 11 13 14 15a 15b 16a 16b 17 18 19 23 24a 24b 25 28 29 30 31a "
    "31b 31c 31d 32 33a 33b 33c 34a 34b 34c 35a 35b 35c 36 37 38a 38b 38c 42 43 44 45 46 47 48 49a 49b 50 51 52"
)
LEAST_OWN = 40


def test_ids_are_unique() -> None:
    """No two defects have one id or one title."""
    assert len({defect.id for defect in DEFECTS}) == len({defect.title for defect in DEFECTS}) == len(DEFECTS)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.id)
def test_an_application_is_built_with_it(settings: Settings, defect: Defect) -> None:
    """It can be planted, serves every operation of the clean document, and is looked for at such by known codes."""
    clean, planted = Parts(), defect.plant(Parts())
    assert planted != clean
    application = Application(settings, planted)
    document = msgspec.json.decode(application.document)
    served = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    assert {procedure.id for procedure in clean.procedures} <= served
    assert set() < set(defect.operations) <= {procedure.id for procedure in clean.procedures}
    assert set() < set(defect.codes) <= CODES.keys()
    application.services.pictures.close()
    application.services.passwords.close()


def test_the_mistakes_of_the_patterns_that_teams_copy_are_planted() -> None:
    """Each of theirs that one worker, two or another time zone can show is there, each letter by itself."""
    planted = {defect.id for defect in DEFECTS}
    assert {f"S{told}" for told in PATTERNS.split()} - planted == set()


def test_every_part_of_the_stack_has_defects_of_our_own() -> None:
    """Edge, callers, catalogue, people and orders, tenants and the contract each have some beside the patterns'."""
    own = Counter(defect.id[0] for defect in DEFECTS if defect.id[0] != "S")
    assert all(own[row] for row in "ABCDEG")
    assert sum(own.values()) >= LEAST_OWN
