"""``webhook``: try a webhook source on a payload, without its sender."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from relay.client import ApiError, RelayClient
from relay.commands.options import RelayOptions
from relay.errors import FAILED, INVALID_INPUT, CommandError, usage_error
from relay.output.screen import Screen
from relay.output.tables import table
from relay.system import SystemClock, environment
from relay.webhook.signature import signed_headers
from relay.webhook.sources import read_source
from relay.webhook.trial import TrialMessage, try_payload
from shared.core.basics.strict_json import Fault, InvalidMessage, read_json
from shared.core.intake.webhook_source import WebhookSource

_UNAUTHORIZED = 401


def webhook(
    relay: RelayOptions,
    source: Annotated[str, typer.Argument(help="The name of the source in WEBHOOK_SOURCES.")],
    payload: Annotated[str, typer.Argument(help="A file with the body of a request; - is standard input.")],
    settings: Annotated[
        Path | None, typer.Option(help="A settings file, or the JSON of the sources; else the environment or .env.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Sign the request and send it to a relay.")] = False,
    header: Annotated[list[str] | None, typer.Option(help="A header of the request: 'NAME: VALUE'.")] = None,
) -> None:
    """Show the messages that a webhook source would make of a payload, each member with the value found."""
    screen = relay.screen()
    found = read_source(source, settings, environment(), Path.cwd())
    body = _read(payload)
    trials = _try(payload, found, body)
    document: dict[str, Any] = {"source": source, "messages": [trial.document() for trial in trials]}
    _show(screen, trials)
    invalid = any(trial.faults for trial in trials)
    status = INVALID_INPUT if invalid else 0
    if send and not invalid:
        headers = signed_headers(
            found.verification, body, _headers(header), epoch_seconds=SystemClock().epoch_seconds()
        )
        document["response"] = _send(relay.client(screen), source, body, headers)
        status = _show_response(screen, document["response"])
    elif send:
        screen.say("nothing was sent: correct the map or the payload")
    screen.document(document)
    raise typer.Exit(status)


def _read(payload: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if payload == "-" else Path(payload).read_bytes()
    except OSError as error:
        raise usage_error(f"{payload} cannot be read: {error.strerror or error}") from None


def _try(payload: str, source: WebhookSource, body: bytes) -> list[TrialMessage]:
    """Return the messages of the payload. Raise ``CommandError`` for one that is unreadable as a whole."""
    parsed = read_json(body)
    trials = parsed if isinstance(parsed, InvalidMessage) else try_payload(source, parsed.value)
    if isinstance(trials, InvalidMessage):
        faults = "; ".join(f"{fault.pointer} {fault.detail}".strip() for fault in trials.faults)
        raise usage_error(f"{payload}: {faults}")
    return trials


def _headers(given: Sequence[str] | None) -> dict[str, str]:
    headers = {}
    for text in given or ():
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise usage_error(f"{text!r} is no header", "such as --header 'X-Request-Id: 1'")
        headers[name.strip()] = value.strip()
    return headers


def _show(screen: Screen, trials: Sequence[TrialMessage]) -> None:
    """Print each message for a person."""
    if screen.as_json:
        return
    if not trials:
        screen.say("no message would result: $each finds no event in this payload")
    for number, trial in enumerate(trials, 1):
        screen.say(f"message {number} of {len(trials)}: {'invalid' if trial.faults else 'valid'}")
        members = trial.members or tuple((trial.message or {}).items())
        screen.out.print(table(("member", "value"), ((name, _value(value)) for name, value in members)))
        for fault in trial.faults:
            screen.say(f"{fault.pointer} {fault.detail}", "red")


def _value(value: Any) -> str:
    if isinstance(value, Fault):
        return "the expression fails"
    return "null (left out)" if value is None else json.dumps(value, ensure_ascii=False)


def _send(client: RelayClient, source: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    try:
        return client.post(f"/api/webhooks/{source}", body, idempotent=False, headers=headers).body
    except ApiError as error:
        if error.status != _UNAUTHORIZED:
            raise
        hint = "the relay has another secret for this source, or no such source"
        raise CommandError(error.message, hint) from None


def _show_response(screen: Screen, response: dict[str, Any]) -> int:
    """Print what the relay answered; return the exit status."""
    items = response.get("value", [])
    errors = [item for item in items if "error" in item]
    screen.say(f"sent: {len(items) - len(errors)} accepted, {len(errors)} refused")
    for item in items:
        error = item.get("error") or {}
        screen.say(f"message {item.get('index', 0) + 1}: {item.get('id') or error.get('message')}")
    return FAILED if errors else 0
