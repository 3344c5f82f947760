"""Webhook sources as ``WEBHOOK_SOURCES`` describes them: from a file, the environment, or a ``.env`` here."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from relay.errors import usage_error
from relay.settings_file import KEY_VAULT_REFERENCE, read_settings
from shared.core.intake.webhook_source import WebhookSource, webhook_sources

_SETTING = "WEBHOOK_SOURCES"


def read_source(name: str, file: Path | None, environ: Mapping[str, str], folder: Path) -> WebhookSource:
    """Return a source. Raise ``CommandError`` for a source that is not there or has faults."""
    place, text = _setting(file, environ, folder)
    if text.startswith(KEY_VAULT_REFERENCE):
        raise usage_error(f"{_SETTING} of {place} is a Key Vault reference: only Azure can read it", _HINT)
    try:
        sources = webhook_sources(json.loads(text))
    except ValueError as error:
        raise usage_error(f"{_SETTING} of {place}: {error}") from None
    if name not in sources:
        raise usage_error(f"{place} has no source {name!r}", f"its sources: {', '.join(sources) or 'none'}")
    return sources[name]


_HINT = "give --settings FILE: settings with WEBHOOK_SOURCES, or the JSON of the sources alone"


def _setting(file: Path | None, environ: Mapping[str, str], folder: Path) -> tuple[str, str]:
    """Return where the setting is, and its text."""
    if file is not None:
        return str(file), _in_file(file)
    if environ.get(_SETTING):
        return "the environment", environ[_SETTING]
    dotenv = folder / ".env"
    text = dotenv_values(dotenv, interpolate=False).get(_SETTING) if dotenv.is_file() else None
    if not text:
        raise usage_error(f"there is no {_SETTING} in the environment or .env", _HINT)
    return str(dotenv), text


def _in_file(file: Path) -> str:
    """Return the setting of a settings file, or the whole text of a file of sources."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None
    if _are_sources(text):
        return text
    setting = read_settings(file).get(_SETTING)
    if not setting:
        raise usage_error(f"{file} has no {_SETTING}", _HINT)
    return setting


def _are_sources(text: str) -> bool:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return False
    values = list(document.values()) if isinstance(document, dict) else []
    return bool(values) and all(isinstance(value, dict) and "verify" in value for value in values)
