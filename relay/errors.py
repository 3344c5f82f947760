"""The errors that end a command, and the exit statuses.

0 is success, 1 a failure, 2 an invalid input or usage, 130 an interruption (Ctrl-C).
"""

from dataclasses import dataclass

FAILED, INVALID_INPUT, INTERRUPTED = 1, 2, 130


@dataclass
class CommandError(Exception):
    """End the command with a message; ``hint`` says what to do about it."""

    message: str
    hint: str | None = None
    exit_status: int = FAILED


def usage_error(message: str, hint: str | None = None) -> CommandError:
    """Return the error of an invalid input or option."""
    return CommandError(message, hint, INVALID_INPUT)
