"""``python -m relay``: run a command; turn every error into a line of text and an exit status."""

import json
import sys
from collections.abc import Sequence

from relay.errors import FAILED, INTERRUPTED, CommandError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; no mistake of a user ends in a traceback."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        from relay.commands import app  # noqa: PLC0415 - Ctrl-C while this loads is no traceback either

        app(given, prog_name="python -m relay")
    except CommandError as error:
        return _print_error(error, as_json="--json" in given)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _print_error(error: CommandError, *, as_json: bool) -> int:
    """Print the error for a person and, on request, for a machine; return its exit status."""
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": {"message": error.message, "hint": error.hint}}))
    return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
