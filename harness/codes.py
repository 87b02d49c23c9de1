"""The catalogue of findings: what each code says, how bad it is, what it means, how to mend it, how others call it.

The entries stand in codes.toml. Numbers of Web Fuzzing Commons are those of its release 0.9.0 (`DefinedFaultCategory`,
F100 to F310); F121, F122, F207 and F311 came after it and are taken from the report that Schemathesis 4.32 writes in
that format (`schemathesis/cli/wfc_report.py`). They move between releases. Numbers of the OWASP API Security Top 10 are
those of 2023. A code has one only where the other catalogue says the same.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = "codes.toml"
RISKS = {
    1: "Broken Object Level Authorization",
    2: "Broken Authentication",
    3: "Broken Object Property Level Authorization",
    4: "Unrestricted Resource Consumption",
    5: "Broken Function Level Authorization",
    6: "Unrestricted Access to Sensitive Business Flows",
    7: "Server Side Request Forgery",
    8: "Security Misconfiguration",
    9: "Improper Inventory Management",
    10: "Unsafe Consumption of APIs",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One class of faults.

    `title` is one line; `severity` is the usual one, from which a judge may depart as `means` tells; `means` says what
    it is to a caller, `mend` what to do. `wfc` and `owasp` are numbers in the other catalogues, 0 where none fits;
    `wfc_by_kind` has a pattern of the finding's kind for each number that only such a kind has. A finding of a code in
    `told_by` at the same operation or resource tells the same fault: this one is left out then.
    """

    title: str
    severity: Severity
    means: str
    mend: str
    wfc: int = 0
    owasp: int = 0
    wfc_by_kind: Mapping[str, int] = field(default_factory=dict)
    told_by: Sequence[str] = ()

    def fault(self, kind: str = "") -> int:
        """The number in Web Fuzzing Commons of a finding of this kind; 0 where there is none."""
        return next((number for form, number in self.wfc_by_kind.items() if re.fullmatch(form, kind)), self.wfc)

    def references(self, kind: str = "") -> tuple[str, ...]:
        """How other catalogues call it: `OWASP API1:2023 Broken Object Level Authorization`, `WFC F303`."""
        risk = (f"OWASP API{self.owasp}:2023 {RISKS[self.owasp]}",) if self.owasp else ()
        fault = self.fault(kind)
        return risk + ((f"WFC F{fault}",) if fault else ())


def _read() -> dict[str, Code]:
    tables = tomllib.loads((files("harness") / FILE).read_text("utf-8"))
    return {name: Code(**{**table, "severity": Severity(table["severity"])}) for name, table in tables.items()}


CODES: Mapping[str, Code] = _read()


def references(code: str, kind: str = "") -> tuple[str, ...]:
    """How other catalogues call a finding's class; empty for a code that this catalogue lacks, as an old run has."""
    return CODES[code].references(kind) if code in CODES else ()
