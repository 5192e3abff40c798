"""Look at everything a film needs: database, Redis, FFmpeg, fonts, disk, keys, providers."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from adapters.embedded.stack import services
from adapters.settings import Settings
from app.console import DONE, FAILED, Console
from app.health import Finding, examine

SIGNS = {"ok": ("✓", "green"), "note": ("·", "dim"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The doctor takes no arguments."""


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Examine all and report; fails when anything is at fault."""
    with services(settings, console.say) as ready:
        findings = examine(ready)
    console.result(
        {"healthy": healthy(findings), "findings": [asdict(finding) for finding in findings]},
        *(line(finding, console) for finding in findings),
    )
    return DONE if healthy(findings) else FAILED


def healthy(findings: list[Finding]) -> bool:
    """True when nothing is at fault."""
    return all(finding.state != "fault" for finding in findings)


def line(finding: Finding, console: Console) -> str:
    """One finding for people."""
    sign, colour = SIGNS[finding.state]
    fix = f"  → {finding.fix}" if finding.fix else ""
    return f"{console.paint(sign, colour)} {finding.part:<11} {finding.what}{fix}"
