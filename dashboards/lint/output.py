"""Findings as text, JSON and SARIF, which code hosts show beside the line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboards.lint.findings import Finding, show


def level(finding: Finding) -> str:
    """How grave a finding is, in SARIF's words."""
    return "note" if finding.is_note else "error"


def text(findings: Sequence[Finding]) -> str:
    """One finding a line."""
    return "\n".join(str(finding) for finding in findings)


def rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as JSON values."""
    return [
        {
            "rule": f.rule,
            "level": level(f),
            "file": f.file,
            "line": f.line,
            "asset": f.asset,
            "path": show(f.path),
            "message": f.message,
            "fix": f.fix,
        }
        for f in findings
    ]


def sarif(findings: Sequence[Finding], version: str, root: Path) -> dict[str, Any]:
    """A SARIF 2.1.0 log; files below `root`, which is the repository's, are named from there."""
    rules = sorted({finding.rule for finding in findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "penstock dashboards lint", "version": version,
                                "rules": [{"id": rule} for rule in rules]}},
            "results": [{
                "ruleId": finding.rule, "level": level(finding),
                "message": {"text": f"{finding.message} {finding.fix}"},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.file, root)},
                    "region": {"startLine": max(1, finding.line)}}}]} for finding in findings],
        }],
    }  # fmt: skip


def _uri(file: str, root: Path) -> str:
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file
