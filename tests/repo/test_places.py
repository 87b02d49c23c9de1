"""No tracked file names a place of one machine: a path, or a host that is not the reader's."""

from __future__ import annotations

import re
from pathlib import Path

from tests.repo.sources import ROOT, text, tracked

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "0.0.0.0"}  # noqa: S104 - a name in a text, nothing is bound
STANDARDS = {
    "json-schema.org", "www.rfc-editor.org", "spec.openapis.org", "datatracker.ietf.org", "keepachangelog.com",
    "semver.org", "www.w3.org", "owasp.org", "docs.oasis-open.org",
}  # fmt: skip
MADE_UP = re.compile(
    r"(^|\.)(test|example|invalid|localhost)$|(^|\.)example\.(com|org|net)$"
    r"|^(192\.0\.2|198\.51\.100|203\.0\.113)\."
)
URL = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)")
# Homes, and the folder that this checkout lies in.
MACHINE = re.compile(r"(?<![\w.])/(?:root|home/[a-z_][\w-]*|Users/\w+|work|opt/[a-z]+)/[\w.]")


def hosts(path: Path) -> set[str]:
    """The hosts that a file's addresses name; a word without a dot is a place to fill in."""
    return {match[1].lower().rstrip(".") for match in URL.finditer(text(path)) if "." in match[1] or "[" in match[1]}


def test_no_file_names_a_host_of_the_network() -> None:
    """Addresses are loopback, made up (RFC 2606, 5737) or a standard's own; no registry and no mirror among them."""
    foreign = {
        f"{path}: {host}"
        for path in tracked()
        for host in hosts(path)
        if host not in LOOPBACK | STANDARDS and not host.startswith("127.") and not MADE_UP.search(host)
    }
    assert sorted(foreign) == []


def test_no_file_names_a_path_of_a_machine() -> None:
    """Paths start at the project, at a temporary folder or at a placeholder."""
    parent = f"{ROOT.parent}/"
    named = [
        f"{path}: {line.strip()[:80]}"
        for path in tracked()
        if path != Path(__file__).relative_to(ROOT)
        for line in text(path).splitlines()
        if (MACHINE.search(line) or (len(ROOT.parts) > 2 and parent in line)) and "leak" not in str(path)
    ]
    assert named == []


def test_constraints_are_exact_versions() -> None:
    """Every line of constraints.txt is a comment or one exact version; no address, no path, no option."""
    lines = [line for line in text(Path("constraints.txt")).splitlines() if line and not line.startswith("#")]
    assert len(lines) > 30
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+( ; [^;/]+)?", line)] == []
