"""Types of options: durations, and lines that change."""

from typing import Any

import click

from havpn_core.durations import Duration


class DurationType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A duration as the configuration writes it."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> Duration:
        """Read it, or end with a usage error."""
        try:
            return Duration.parse(float(value) if _is_number(value) else value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


class ChangeType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Two shares of loss and the moment between them."""

    name = "change"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float, Duration]:
        """Read it, or end with a usage error."""
        shares, _, moment = str(value).partition("@")
        before, _, after = shares.partition(":")
        try:
            found = float(before), float(after), Duration.parse(moment)
        except ValueError:
            found = -1.0, -1.0, Duration(1)
        if not all(0 <= share < 1 for share in found[:2]):
            self.fail(f"{value!r}: write A:B@TIME, such as 0.01:0.2@30m", param, ctx)
        return found


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
