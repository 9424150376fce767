"""Pure: what the checks found, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from havpn_core.plugging.diagnosis import Diagnosis, Level

WORDS = {Level.OK: "ok", Level.WARNING: "warning", Level.FAILED: "FAILED"}
"""The first word of a line; who sees no colours sees the broken ones all the same."""
WIDTH = max(map(len, WORDS.values()))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    :param subject: what it is about: a key of the configuration, a device, an address.
    :param check: the check that found it, as the table of checks names it.
    """

    subject: str
    diagnosis: Diagnosis
    check: str = ""

    @classmethod
    def good(cls, subject: str, text: str) -> "Finding":
        """Say what works."""
        return cls(subject, Diagnosis.good(text))

    @classmethod
    def warning(cls, subject: str, text: str, remedy: str) -> "Finding":
        """Say what may be wrong, and what to do if it is."""
        return cls(subject, Diagnosis.warning(text, remedy))

    @classmethod
    def failed(cls, subject: str, text: str, remedy: str) -> "Finding":
        """Say what is broken, and what to do."""
        return cls(subject, Diagnosis.failed(text, remedy))

    @property
    def broken(self) -> bool:
        """Whether it is broken now."""
        return self.diagnosis.level is Level.FAILED

    @property
    def line(self) -> str:
        """One line for people."""
        found = self.diagnosis
        remedy = f": {found.remedy}" if found.remedy else ""
        return f"{WORDS[found.level]:<{WIDTH}}  {self.subject}: {found.text}{remedy}"

    @property
    def fields(self) -> dict[str, str]:
        """The same for JSON."""
        found = self.diagnosis
        return {
            "check": self.check,
            "subject": self.subject,
            "level": found.level.value,
            "text": found.text,
            "remedy": found.remedy,
        }


def number_of(findings: Sequence[Finding], level: Level) -> int:
    """Count the findings of a level."""
    return sum(each.diagnosis.level is level for each in findings)


def exit_status(findings: Sequence[Finding]) -> int:
    """Give 1 where something is broken, else 0; a warning alone is none."""
    return 1 if number_of(findings, Level.FAILED) else 0


def summary(findings: Sequence[Finding]) -> str:
    """Count them in a few words."""
    failed, warned, good = (
        number_of(findings, level) for level in (Level.FAILED, Level.WARNING, Level.OK)
    )
    return f"{failed} failed, {warned} warning{'' if warned == 1 else 's'}, {good} ok"


def report(file: str, node: str, findings: Sequence[Finding], *, running: bool) -> dict[str, Any]:
    """Give the object that ``--json`` prints.

    :param running: whether a daemon was at work.
    """
    return {
        "schema": 1,
        "file": file,
        "node": node,
        "daemon": "running" if running else "not running",
        "failed": number_of(findings, Level.FAILED),
        "warnings": number_of(findings, Level.WARNING),
        "ok": number_of(findings, Level.OK),
        "findings": [each.fields for each in findings],
    }
