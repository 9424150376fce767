"""Run a command for an action and put its failure into a sentence."""

from collections.abc import Mapping, Sequence

from havpn_core import ActionError, CommandTimeout, Finished, run_command


async def carry_out(
    argv: Sequence[str], timeout_s: float, env: Mapping[str, str] | None = None
) -> Finished:
    """Run a command that must succeed.

    :raises ActionError: if it cannot be started, overruns its deadline or ends with an error.
    """
    ended = await attempt(argv, timeout_s, env)
    if ended.status != 0:
        said = f": {ended.said}" if ended.said else ""
        raise ActionError(f"{' '.join(argv)} ended with status {ended.status}{said}")
    return ended


async def attempt(
    argv: Sequence[str], timeout_s: float, env: Mapping[str, str] | None = None
) -> Finished:
    """Run a command whose exit status the caller judges.

    :raises ActionError: if it cannot be started or overruns its deadline.
    """
    try:
        return await run_command(argv, timeout_s, env=env)
    except CommandTimeout as problem:
        raise ActionError(f"{problem}; it was killed") from None
    except OSError as problem:
        raise ActionError(f"{argv[0]}: {problem.strerror or problem}") from None
