"""The errors that HA-VPN raises on purpose."""


class HavpnError(Exception):
    """An error with a message for the operator; never a bug."""


class ActionError(HavpnError):
    """An action could not carry its role out; it will be tried again."""


class NotResolved(HavpnError):
    """A host name has no known address (yet)."""


class CommandTimeout(HavpnError):
    """A command ran past its deadline; its whole process group was killed."""


class ConfigError(HavpnError):
    """One or more problems with the configuration.

    :param problems: every problem found, each naming its key and the remedy.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Interrupted(KeyboardInterrupt):
    """The operator ended the program by SIGINT; no plugin raises this."""


class CallFailed(HavpnError):
    """A plugin raised something; the message names it."""


class CallOverdue(HavpnError):
    """A call of a plugin did not end within its deadline."""


class CallBusy(HavpnError):
    """An earlier call to a blocking method has not come back yet."""
