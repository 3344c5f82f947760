"""A file of app settings: ``local.settings.json``, ``.env``, or the list that ``az functionapp config`` prints."""

import json
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from relay.errors import usage_error

#: How a setting begins whose value is in Key Vault.
KEY_VAULT_REFERENCE = "@Microsoft.KeyVault("


def read_settings(path: Path) -> dict[str, str]:
    """Return the settings by name, those without a value left out. Raise ``CommandError``."""
    return {name: text for name, text in _read(path).items() if text is not None}


def _read(path: Path) -> Mapping[str, str | None]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None
    if not text.lstrip().startswith(("{", "[")):
        return dotenv_values(stream=StringIO(text), interpolate=False)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise usage_error(f"{path} is not JSON: {error}") from None
    if isinstance(document, dict) and document.get("IsEncrypted"):
        raise usage_error(f"{path} is encrypted", "func settings decrypt")
    settings = dict(_pairs(document))
    if not settings:
        hint = 'accepted are {"Values": {...}}, [{"name", "value"}] and NAME=value'
        raise usage_error(f"{path} holds no settings", hint)
    return settings


def _pairs(document: Any) -> Iterator[tuple[str, str | None]]:
    if isinstance(document, dict) and isinstance(document.get("Values"), dict):
        yield from ((name, None if value is None else str(value)) for name, value in document["Values"].items())
    if isinstance(document, list):
        for item in document:
            if isinstance(item, dict) and isinstance(item.get("name"), str):
                yield item["name"], None if item.get("value") is None else str(item["value"])
