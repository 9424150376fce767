"""What plugins that run commands share."""

import os
import shutil
from collections.abc import Sequence
from typing import Annotated

import msgspec

from havpn_core import path_of

Argv = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1)]],
    msgspec.Meta(min_length=1, description="program and arguments; no shell reads them"),
]
"""A command line in the configuration."""


def missing_commands(*commands: Sequence[str] | None) -> list[str]:
    """Say which of the programs cannot be run on this host."""
    problems = []
    for argv in commands:
        if not argv or shutil.which(argv[0]):
            continue
        why = "is not executable" if os.path.exists(argv[0]) else "is not there"  # noqa: PTH110
        problems.append(f"command {path_of(argv)} {why}{_remedy(argv)}")
    return problems


def not_started(argv: Sequence[str], problem: OSError) -> str:
    """Say why a command could not be started, without its arguments."""
    why = problem.strerror or type(problem).__name__
    return f"{path_of(argv)}: {why}{_remedy(argv)}"


def _remedy(argv: Sequence[str]) -> str:
    if any(c.isspace() for c in argv[0]):
        return ": write each argument as a text of its own, as no shell reads the command"
    return ""
