"""``python -m relay``: runs a command, and turns whatever ends it into a line for a person and an exit status."""

import json
import sys
from collections.abc import Sequence

from relay.failure import FAILED, INTERRUPTED, Failure


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; nothing that a user does wrong ends in a traceback."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        from relay.commands import app  # noqa: PLC0415 - Ctrl-C while this loads is no traceback either

        app(given, prog_name="python -m relay")
    except Failure as failure:
        return _told(failure, as_json="--json" in given)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _told(failure: Failure, *, as_json: bool) -> int:
    print(f"error: {failure.message}", file=sys.stderr)
    if failure.hint:
        print(f"  {failure.hint}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": {"message": failure.message, "hint": failure.hint}}))
    return failure.exit_status


if __name__ == "__main__":
    sys.exit(main())
