"""What is planted is one thing each, at operations of the document, and an application is built with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from harness.codes import CODES
from reference_impl.application import Application, Parts
from reference_impl.defects.catalogue import DEFECTS

if TYPE_CHECKING:
    from reference_impl.defects.defect import Defect
    from reference_impl.settings import Settings


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
