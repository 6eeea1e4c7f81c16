"""Exit codes, the same for every command, and the error that carries one."""

from typing import Final

#: Done, and nothing to complain of.
OK: Final = 0
#: Done, but something is wrong: events were refused, a service is not ready.
WRONG: Final = 1
#: The command was called wrongly, a file is missing or broken, or a credential was not taken.
USAGE: Final = 2
#: A service could not be reached, or did not answer as agreed.
UNREACHABLE: Final = 3
#: Stopped by the user (Ctrl-C).
INTERRUPTED: Final = 130

#: What `--help` says of them, below every command.
EPILOG: Final = (
    "Exit codes: 0 all is well, 1 something is wrong (events refused, a service not ready),"
    " 2 called wrongly, 3 a service could not be reached."
)


class CommandError(Exception):
    """Ends the command with a message for people and a code for scripts."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code
