"""Pure: what each grade takes, and why; ``docs/plugins/grade.md`` is this table."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How good a plugin is; each grade takes all that those before it take."""

    NONE = "none"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"

    @property
    def rank(self) -> int:
        """Its place from 0."""
        return list(Grade).index(self)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that is checked.

    :param text: what is looked for.
    :param why: the reason.
    """

    name: str
    grade: Grade
    text: str
    why: str


CRITERIA = (
    Criterion(
        "loads", Grade.BRONZE,
        "it loads beside the bundled plugins and supplies a type",
        "what does not load is a line in `havpn plugin list` and nothing else",
    ),
    Criterion(
        "summary", Grade.BRONZE,
        "each type has a summary of 10 to 100 characters",
        "`havpn plugin show` and the reference begin with it",
    ),
    Criterion(
        "options", Grade.BRONZE,
        "each option has a description, in its `msgspec.Meta` or the docstring of its struct",
        "`havpn plugin show`, the editor's schema and the manual have no other text",
    ),
    Criterion(
        "needs", Grade.BRONZE,
        "`needs` names capabilities of Linux; where a raw or packet socket is opened it has "
        "`CAP_NET_RAW`, or `missing` says when that lacks",
        "`havpn check` and `havpn doctor` say by it what an unprivileged daemon lacks, before it "
        "fails",
    ),
    Criterion(
        "public", Grade.BRONZE,
        "of `havpn_core` it imports public names only, and of `havpn_plugins` none",
        "everything else may change in any release",
    ),
    Criterion(
        "tests", Grade.SILVER,
        "there are tests, and they pass; those that are skipped count for nothing",
        "an upgrade of havpn or of a library is otherwise tried out on gateways",
    ),
    Criterion(
        "contract", Grade.SILVER,
        "the tests run the contract's check of each type (`check_probe_type` and so on), and it "
        "passes: deadlines kept, closed twice, two instances apart, bad options refused by name",
        "a probe that keeps no deadline is found late by the daemon, and a dead line with it",
    ),
    Criterion(
        "loop", Grade.SILVER,
        "no `async def` calls what blocks (`time.sleep`, `subprocess.run`, `open`, "
        "`socket.getaddrinfo`)",
        "it stops every other probe of the gateway for as long",
    ),
    Criterion(
        "readme", Grade.SILVER,
        "the README names each type and the line that enables it; of a single file its docstring "
        "does",
        "who meets it in a configuration must find out what it does",
    ),
    Criterion(
        "licence", Grade.GOLD,
        "`license` in pyproject.toml and a file LICENSE with its text; in a single file "
        "`SPDX-License-Identifier`",
        "without one nobody may use, change or package it",
    ),
    Criterion(
        "types", Grade.GOLD,
        "each function says the types of its arguments and of its result, no comment such as "
        "`# type: ignore` without a code turns a checker off, and a package has `py.typed`",
        "a checker then finds what an upgrade of havpn changed, before it runs",
    ),
    Criterion(
        "versions", Grade.GOLD,
        "it depends on a range of versions with an end, such as `havpn>=0.1,<1`",
        "the contract is stable within a major version, and only there",
    ),
)  # fmt: skip


def grade_of(met: Collection[str]) -> Grade:
    """Give the highest grade all of whose criteria are met, and of those below.

    :param met: names of criteria.
    """
    best = Grade.NONE
    for grade in list(Grade)[1:]:
        if any(each.grade is grade and each.name not in met for each in CRITERIA):
            break
        best = grade
    return best
