"""The commands and their options; what they do is elsewhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

from relay import options
from relay.client import Relay
from relay.diagnosis import diagnose, diagnose_settings
from relay.failure import wrong
from relay.files import Format
from relay.options import (
    CreatedAfter,
    CreatedBefore,
    IdempotencyKey,
    Insecure,
    Json,
    Key,
    Policy,
    RetrySeconds,
    Source,
    Status,
    StatusDetail,
    Url,
    UserStatusId,
    filters,
)
from relay.outside import SystemClock
from relay.rendering import Screen, update_rows
from relay.replaying import replay_matching, replay_one
from relay.rows import SOURCE, Common
from relay.showing import show_update
from relay.submission import MOST_IN_BATCH
from relay.submit_command import Submission, Submit
from relay.watching import watch_relay
from shared.core.basics.update_id import is_update_id

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hand compliance statuses to a relay, and see what becomes of them.",
    epilog="Exit status: 0 all well, 1 something failed, 2 wrong input or usage, 130 interrupted (Ctrl-C).",
)
UpdateId = Annotated[str, typer.Argument(help="An update's id.")]


@app.command()
def submit(
    file: Annotated[str, typer.Argument(help="CSV or JSON Lines; - is standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and say how long it would take.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the updates to their end.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a CSV with what became of each row.")] = None,
    policy: Annotated[str | None, typer.Option(help="deviceCompliancePolicyId of rows without.")] = None,
    source: Annotated[str, typer.Option(help="source of rows without; idempotency keys are its own.")] = SOURCE,
    run: Annotated[str, typer.Option(help="A label: the same rows under another label are new updates.")] = "",
    format_: Annotated[Format | None, typer.Option("--format", help="Instead of what the file looks like.")] = None,
    ignore_unknown: Annotated[bool, typer.Option("--ignore-unknown", help="Leave unknown columns out.")] = False,
    skip_invalid: Annotated[bool, typer.Option("--skip-invalid", help="Send the valid rows all the same.")] = False,
    batch_size: Annotated[int, typer.Option(min=1, max=MOST_IN_BATCH, help="Updates in a request.")] = 500,
    wait_seconds: Annotated[float | None, typer.Option(min=0, help="Wait no longer than this (with --wait).")] = None,
    retry_seconds: RetrySeconds = 300,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Submit the rows of a file as updates; giving the same command again is safe, and goes on where it stopped.

    CSV columns: deviceCompliancePolicyId; deviceComplianceUserStatusId, or userPrincipalName for the relay to find the
    user; status, devicesCount, lastReportedDateTime, userDisplayName, userStatus.userPrincipalName (at least one);
    source; idempotencyKey. Empty cells are not given. A row's number is the line on which it begins.
    """
    screen = Screen(as_json=as_json)
    place, patience = options.connected(url, key, insecure=insecure), options.patience(screen, retry_seconds)
    asked = Submission(
        file=file,
        common=Common(policy, source, run),
        wanted=format_,
        report=report,
        seconds=wait_seconds,
        most=batch_size,
        dry_run=dry_run,
        wait=wait,
        ignore_unknown=ignore_unknown,
        skip_invalid=skip_invalid,
    )
    hastily = Relay(place, options.patience(screen, 0 if dry_run else min(10, retry_seconds)))
    raise typer.Exit(Submit(Relay(place, patience), hastily, patience, SystemClock(), screen)(asked))


@app.command()
def get(
    update_id: UpdateId,
    wait: Annotated[int, typer.Option(min=0, max=30, help="Wait so many seconds for its end.")] = 0,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Show what became of an update."""
    screen = Screen(as_json=as_json)
    relay = options.relay(screen, url, key, insecure=insecure)
    show_update(screen, relay.get(_path(update_id), wait=wait).body)


@app.command("list")
def list_updates(
    status: Status = None,
    status_detail: StatusDetail = None,
    policy: Policy = None,
    user_status: UserStatusId = None,
    source: Source = None,
    idempotency_key: IdempotencyKey = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many, or with --all a page's.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All that match, page by page.")] = False,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """List updates, newest first."""
    screen = Screen(as_json=as_json)
    wanted: dict[str, Any] = filters(
        status=status,
        statusDetail=status_detail,
        deviceCompliancePolicyId=policy,
        deviceComplianceUserStatusId=user_status,
        source=source,
        idempotencyKey=idempotency_key,
        createdAfter=created_after,
        createdBefore=created_before,
    )
    pages = options.relay(screen, url, key, insecure=insecure).pages("/api/updates", wanted | {"top": top})
    if as_json:
        screen.values(one for page in pages for one in page["value"])
    for page in pages:
        screen.out.print(update_rows(page["value"]))
        if not everything:
            screen.notice("there are more: --all") if page.get("nextLink") else None
            break


@app.command()
def watch(
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest updates.")] = 15,
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after so many looks.")] = None,
    source: Source = None,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Watch the queue, the quota and the newest updates until Ctrl-C; with --json a line for each change."""
    screen = Screen(as_json=as_json)
    relay = options.relay(screen, url, key, insecure=insecure, seconds=300)
    watch_relay(
        screen, relay, SystemClock(), filters(source=source) | {"top": str(top)}, interval=interval, rounds=rounds
    )


@app.command()
def cancel(
    update_id: UpdateId, url: Url = None, key: Key = None, insecure: Insecure = False, as_json: Json = False
) -> None:
    """Take an update back that was not sent yet."""
    screen = Screen(as_json=as_json)
    relay = options.relay(screen, url, key, insecure=insecure)
    show_update(screen, relay.post(_path(update_id) + "/cancel", again=False).body)


@app.command()
def replay(
    update_id: Annotated[str | None, typer.Argument(help="An update's id; or filters instead.")] = None,
    status: Annotated[str | None, typer.Option(help="failed or canceled.")] = None,
    policy: Policy = None,
    user_status: UserStatusId = None,
    source: Source = None,
    idempotency_key: IdempotencyKey = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many match.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Replay an update that failed or was canceled, or all that filters name; each is replayed once at most."""
    screen = Screen(as_json=as_json)
    wanted = filters(
        status=status,
        deviceCompliancePolicyId=policy,
        deviceComplianceUserStatusId=user_status,
        source=source,
        idempotencyKey=idempotency_key,
        createdAfter=created_after,
        createdBefore=created_before,
    )
    if bool(update_id) == bool(wanted):
        raise wrong("an id or filters are wanted, one of them", "such as: replay --status failed --dry-run")
    relay = options.relay(screen, url, key, insecure=insecure)
    if update_id:
        replay_one(screen, relay, _path(update_id))
    else:
        replay_matching(screen, relay, wanted, dry_run=dry_run, yes=yes)


@app.command()
def doctor(
    settings: Annotated[
        Path | None,
        typer.Option(help="Check this settings file instead: local.settings.json, .env, or what az lists."),
    ] = None,
    policy: Policy = None,
    user_status: UserStatusId = None,
    url: Url = None,
    key: Key = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Find out what keeps a relay from working, and what to do next."""
    screen = Screen(as_json=as_json)
    if settings is not None:
        raise typer.Exit(diagnose_settings(screen, settings))
    query = filters(deviceCompliancePolicyId=policy, deviceComplianceUserStatusId=user_status)
    raise typer.Exit(diagnose(screen, options.relay(screen, url, key, insecure=insecure, seconds=0), query))


def _path(update_id: str) -> str:
    if not is_update_id(update_id.strip().lower()):
        raise wrong("this is no update's id", "an id looks like 01932c5e-8f3a-7cc1-b2a4-6f1d2e3c4b5a")
    return f"/api/updates/{update_id.strip().lower()}"
