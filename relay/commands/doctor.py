"""``doctor``: what keeps a relay from working: a line per check, with the next step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from relay.client import ApiError, RelayClient
from relay.commands.options import Policy, RelayOptions, UserStatusId, filters
from relay.errors import FAILED, CommandError
from relay.output.screen import Screen
from relay.output.tables import table
from relay.settings_file import KEY_VAULT_REFERENCE, read_settings
from shared.settings import InvalidSettings, Settings

_NOT_FOUND = 404
#: Values in place of secrets that only Azure can read.
_PLACEHOLDERS = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "WEBHOOK_SOURCES": "{}"}
type _Checks = Sequence[Mapping[str, Any]]


def doctor(
    relay: RelayOptions,
    settings: Annotated[
        Path | None,
        typer.Option(help="Check this settings file instead: local.settings.json, .env, or what az lists."),
    ] = None,
    policy: Policy = None,
    user_status: UserStatusId = None,
) -> None:
    """Check a relay, and show the next step for each fault."""
    screen = relay.screen()
    if settings is not None:
        raise typer.Exit(_check_settings(screen, settings))
    query = filters(policy=policy, user_status=user_status)
    raise typer.Exit(_check_relay(screen, relay.client(screen, seconds=0), query))


def _check_relay(screen: Screen, client: RelayClient, query: Mapping[str, str]) -> int:
    """Show whether the relay answers, and its own checks; return the exit status."""
    try:
        document = client.get("/api/doctor", query).body
    except ApiError as error:
        if error.status != _NOT_FOUND:
            return _show_unreachable(screen, client, error)
        hint = "update the relay: this version has no doctor" if _is_live(client) else "is a relay running there?"
        return _show_unreachable(screen, client, CommandError(f"{client.url} has no /api/doctor", hint))
    except CommandError as error:
        return _show_unreachable(screen, client, error)
    checks = [_check("reach", "ok", f"{client.url} answers and takes the key"), *document.get("checks", ())]
    return _show(screen, checks, document, failed=document.get("status") != "ok")


def _check_settings(screen: Screen, path: Path) -> int:
    """Show all faults of a settings file without starting the app; return the exit status."""
    given = read_settings(path)
    references = [name for name, text in given.items() if text.startswith(KEY_VAULT_REFERENCE)]
    readable = {name: text for name, text in given.items() if name not in references}
    readable |= {name: text for name, text in _PLACEHOLDERS.items() if name in references}
    faults: Sequence[str] = ()
    try:
        Settings.from_environ(readable)
    except InvalidSettings as error:
        faults = error.faults
    checks = [_check("setting", "failing", fault, "set it in the Function App's settings") for fault in faults]
    unread = "is a Key Vault reference: only Azure can read it"
    checks += [_check("setting", "skipped", f"{name} {unread}") for name in references]
    if not faults:
        checks.append(_check("settings", "ok", f"an app with {path} starts"))
    status = "failing" if faults else "ok"
    return _show(screen, checks, {"status": status, "checks": checks}, failed=bool(faults))


def _show(screen: Screen, checks: _Checks, document: Mapping[str, Any], *, failed: bool) -> int:
    screen.document({**document, "checks": checks})
    if not screen.as_json:
        rows = (
            (check.get("status"), check.get("name"), check.get("detail"), check.get("nextStep")) for check in checks
        )
        screen.out.print(table(("status", "check", "detail", "next step"), rows))
    return FAILED if failed else 0


def _show_unreachable(screen: Screen, client: RelayClient, error: CommandError) -> int:
    checks = [_check("reach", "failing", error.message, error.hint or f"is a relay running at {client.url}?")]
    return _show(screen, checks, {"status": "failing"}, failed=True)


def _is_live(client: RelayClient) -> bool:
    try:
        return bool(client.get("/api/health/live").body)
    except CommandError:
        return False


def _check(name: str, status: str, detail: str, next_step: str | None = None) -> dict[str, Any]:
    return {"name": name, "status": status, "detail": detail, "nextStep": next_step}
