"""``doctor``: what keeps a relay from working, one line a check, each with what to do next."""

import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from relay.client import Refused, Relay
from relay.failure import FAILED, Failure, wrong
from relay.rendering import Screen, table
from shared.settings import InvalidSettings, Settings

_NOT_FOUND = 404
_REFERENCE = "@Microsoft.KeyVault("
#: What stands for a secret that only Azure can look up.
_PLACEHOLDERS = {"UPDATES_STORAGE": "UseDevelopmentStorage=true", "WEBHOOK_SOURCES": "{}"}


def diagnose(screen: Screen, relay: Relay, query: Mapping[str, str]) -> int:
    """The relay's own checks, and whether it can be asked at all; the exit status."""
    try:
        found = relay.get("/api/doctor", query).body
    except Refused as refused:
        if refused.status != _NOT_FOUND:
            return _unreached(screen, relay, refused)
        hint = "update the relay: this version has no doctor" if _lives(relay) else "is a relay running there?"
        return _unreached(screen, relay, Failure(f"{relay.url} has no /api/doctor", hint))
    except Failure as failure:
        return _unreached(screen, relay, failure)
    reached = {"name": "reach", "status": "ok", "detail": f"{relay.url} answers and takes the key", "nextStep": None}
    return _show(screen, found.get("status") != "ok", [reached, *found.get("checks", ())], found)


def diagnose_settings(screen: Screen, path: Path) -> int:
    """All faults of a settings file, found without starting the app; the exit status."""
    given = {name: text for name, text in _settings(path).items() if text is not None}
    hidden = [name for name, text in given.items() if text.startswith(_REFERENCE)]
    checked = {name: text for name, text in given.items() if name not in hidden}
    checked |= {name: text for name, text in _PLACEHOLDERS.items() if name in hidden}
    faults: Sequence[str] = ()
    try:
        Settings.from_environ(checked)
    except InvalidSettings as error:
        faults = error.faults
    checks = [_check("setting", "failing", fault, "set it in the Function App's settings") for fault in faults]
    checks += [
        _check("setting", "skipped", f"{name} is a Key Vault reference: only Azure can read it") for name in hidden
    ]
    if not faults:
        checks.append(_check("settings", "ok", f"an app with {path} starts"))
    return _show(screen, bool(faults), checks, {"status": "failing" if faults else "ok", "checks": checks})


def _show(screen: Screen, failing: object, checks: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> int:
    screen.document({**document, "checks": checks})
    if not screen.as_json:
        rows = ((one.get("status"), one.get("name"), one.get("detail"), one.get("nextStep")) for one in checks)
        screen.out.print(table(("status", "check", "detail", "next step"), rows))
    return FAILED if failing else 0


def _unreached(screen: Screen, relay: Relay, failure: Failure) -> int:
    checks = [_check("reach", "failing", failure.message, failure.hint or f"is a relay running at {relay.url}?")]
    return _show(screen, "failing", checks, {"status": "failing"})


def _lives(relay: Relay) -> bool:
    try:
        return bool(relay.get("/api/health/live").body)
    except Failure:
        return False


def _check(name: str, status: str, detail: str, next_step: str | None = None) -> dict[str, Any]:
    return {"name": name, "status": status, "detail": detail, "nextStep": next_step}


def _settings(path: Path) -> Mapping[str, str | None]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None
    if not text.lstrip().startswith(("{", "[")):
        return dotenv_values(stream=StringIO(text), interpolate=False)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise wrong(f"{path} is not JSON: {error}") from None
    if isinstance(document, dict) and document.get("IsEncrypted"):
        raise wrong(f"{path} is encrypted", "func settings decrypt")
    found = dict(_pairs(document))
    if not found:
        raise wrong(f"{path} holds no settings", 'accepted are {"Values": {...}}, [{"name", "value"}] and NAME=value')
    return found


def _pairs(document: Any) -> Iterator[tuple[str, str | None]]:
    if isinstance(document, dict) and isinstance(document.get("Values"), dict):
        yield from ((name, None if value is None else str(value)) for name, value in document["Values"].items())
    if isinstance(document, list):
        for one in document:
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                yield one["name"], None if one.get("value") is None else str(one["value"])
