"""What the lab raises."""

from collections.abc import Sequence


class LabError(Exception):
    """The lab itself could not do what it should."""


class HostFailed(LabError):
    """A host did not come up, or is no longer there."""


class CommandFailed(LabError):
    """A command inside a host ended badly or was not done in time.

    :param returncode: 124 or 137 stand for a deadline passed, as with coreutils ``timeout``.
    """

    def __init__(self, host: str, argv: Sequence[str], returncode: int, output: str) -> None:
        self.host = host
        self.argv = tuple(argv)
        self.returncode = returncode
        self.output = output
        said = output.strip()[-2000:] or "nothing"
        super().__init__(f"{host}: {' '.join(argv)}: status {returncode}; it said: {said}")


class NotInTime(LabError):
    """Something waited for did not happen before its deadline."""
