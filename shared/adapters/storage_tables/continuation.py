"""The token of a table's next page as text that callers may hold."""

import base64
import json
from typing import Any

from shared.service.ports.storage import InvalidContinuation


def written(continuation: Any) -> str | None:
    """Return the SDK's continuation as text; None at the end."""
    if continuation is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(continuation).encode()).decode()


def read(text: str | None) -> Any:
    """Return the SDK's continuation. Raise ``InvalidContinuation`` for a text that no list has given."""
    if text is None:
        return None
    try:
        token = json.loads(base64.urlsafe_b64decode(text.encode()))
        return {"PartitionKey": str(token["PartitionKey"]), "RowKey": str(token["RowKey"])}
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidContinuation from error
