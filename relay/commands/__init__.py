"""The commands, a module each; this page is their table of contents."""

from collections.abc import Callable

import typer

from relay.commands.audit import audit
from relay.commands.cancel import cancel
from relay.commands.doctor import doctor
from relay.commands.get import get
from relay.commands.list_updates import list_updates
from relay.commands.option_groups import with_option_groups
from relay.commands.pause import pause
from relay.commands.pauses import pauses
from relay.commands.replay import replay
from relay.commands.resume import resume
from relay.commands.submit import submit
from relay.commands.watch import watch
from relay.commands.webhook import webhook

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Send compliance statuses to a relay, and follow them.",
    epilog="Exit status: 0 success, 1 something failed, 2 invalid input or usage, 130 interrupted (Ctrl-C).",
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "submit": submit,
    "get": get,
    "list": list_updates,
    "watch": watch,
    "cancel": cancel,
    "replay": replay,
    "pause": pause,
    "resume": resume,
    "pauses": pauses,
    "doctor": doctor,
    "audit": audit,
    "webhook": webhook,
}
for name, command in _COMMANDS.items():
    app.command(name)(with_option_groups(command))
