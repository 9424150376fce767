"""Run a command for an action and put its failure into a sentence."""

from collections.abc import Mapping, Sequence

from havpn_core import ActionError, CommandTimeout, Finished, program_of, run_command

from .._commands import not_started


async def carry_out(
    argv: Sequence[str],
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    private: Sequence[str] = (),
) -> Finished:
    """Run a command that must succeed.

    :param private: what of it the configuration holds and nobody may read in the log.
    :raises ActionError: if it cannot be started, overruns its deadline or ends with an error.
    """
    ended = await attempt(argv, timeout_s, env, private)
    if ended.status != 0:
        raise ActionError(failure(program_of(argv), ended))
    return ended


async def attempt(
    argv: Sequence[str],
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    private: Sequence[str] = (),
) -> Finished:
    """Run a command whose exit status the caller judges.

    :param private: as for :func:`carry_out`.
    :raises ActionError: if it cannot be started or overruns its deadline.
    """
    try:
        return await run_command(argv, timeout_s, env=env, private=private)
    except CommandTimeout as problem:
        raise ActionError(f"{problem}; it was killed") from None
    except OSError as problem:
        raise ActionError(not_started(argv, problem)) from None


def failure(what: str, ended: Finished) -> str:
    """Say that a command failed, with its own last line.

    :param what: the program, with arguments only where they are our own.
    """
    return f"{what} ended with status {ended.status}" + (f": {ended.said}" if ended.said else "")
