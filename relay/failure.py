"""What ends a command: a message for a person, and the exit status.

0 is success, 1 that something failed, 2 that the input or the way of asking is wrong, 130 an interruption.
"""

from dataclasses import dataclass

FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130


@dataclass
class Failure(Exception):
    """``hint`` says what to do about it."""

    message: str
    hint: str | None = None
    exit_status: int = FAILED


def wrong(message: str, hint: str | None = None) -> Failure:
    """The command was asked for what it cannot do."""
    return Failure(message, hint, WRONG_INPUT)
