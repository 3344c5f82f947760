"""The commands, a module each; this page is their table of contents."""

import typer

from relay.commands.cancel import cancel
from relay.commands.doctor import doctor
from relay.commands.get import get
from relay.commands.list_updates import list_updates
from relay.commands.replay import replay
from relay.commands.submit import submit
from relay.commands.watch import watch
from relay.commands.webhook import webhook

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hand compliance statuses to a relay, and see what becomes of them.",
    epilog="Exit status: 0 all well, 1 something failed, 2 wrong input or usage, 130 interrupted (Ctrl-C).",
)
app.command()(submit)
app.command()(get)
app.command("list")(list_updates)
app.command()(watch)
app.command()(cancel)
app.command()(replay)
app.command()(doctor)
app.command()(webhook)
