"""The limits of the HTTP API, stated once: validation, the OpenAPI document and the command line read them here."""

from typing import Final

#: Bytes of a body with one message. In base64 it still fits a queue message of 64 KiB.
MAX_MESSAGE_BYTES: Final = 48 * 1024
#: Bytes of a body with many messages: a batch, or a webhook's request.
MAX_BATCH_BYTES: Final = 1024 * 1024
#: Messages in one request.
MAX_UPDATES: Final = 1000
#: Updates that one request replays.
MAX_REPLAYS: Final = 1000
#: Characters of an idempotency key.
MAX_KEY_LENGTH: Final = 255
#: Updates on one page of a list.
DEFAULT_TOP: Final = 50
MAX_TOP: Final = 1000
