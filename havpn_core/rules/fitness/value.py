"""Pure: whether this gateway can serve, its lines aside."""

from dataclasses import dataclass

UNFIT = "unfit"
"""Why a gateway is not fit where nobody said it: a silence or a withdrawal needs a reason."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """Whether this gateway can serve, its lines aside.

    :param fit: ``None`` while that is not known, which counts as fit.
    :param certain: it is unfit by something that nobody else can be the cause of, as a port
        without a carrier; only meaningful while ``fit`` is ``False``.
    :param reason: why it is not fit, for people; empty while it is.
    """

    fit: bool | None = None
    certain: bool = False
    reason: str = ""

    @property
    def unfit(self) -> bool:
        """Whether it is known that this gateway cannot serve."""
        return self.fit is False

    @property
    def why(self) -> str:
        """Say why this gateway cannot serve; empty exactly while that is not known."""
        return (self.reason or UNFIT) if self.unfit else ""
