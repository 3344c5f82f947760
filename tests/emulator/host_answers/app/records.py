"""What queue and timer functions saw: a JSON line each, in the file that the setting ``ANSWERS_FILE`` names."""

import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import azure.functions as func

_FILE = Path(os.environ["ANSWERS_FILE"])
_lock = threading.Lock()


def record(**what: Any) -> None:
    """One line in the file."""
    line = json.dumps({"at": time.time()} | what) + "\n"
    with _lock, _FILE.open("a", encoding="utf-8") as file:
        file.write(line)


def pause(seconds: float) -> None:
    """Keep the calling thread busy: what a slow function does."""
    threading.Event().wait(seconds)


def record_message(event: str, queue: str, message: func.QueueMessage, **more: Any) -> None:
    """What a function can learn of a message."""
    body = message.get_body()
    hidden = message.time_next_visible and message.time_next_visible - datetime.now(UTC)
    record(
        event=event,
        queue=queue,
        id=message.id,
        dequeue_count=message.dequeue_count,
        expiration_time=message.expiration_time and message.expiration_time.isoformat(),
        insertion_time=message.insertion_time and message.insertion_time.isoformat(),
        lease_minutes=hidden and round(hidden.total_seconds() / 60),
        pop_receipt=bool(message.pop_receipt),
        body=repr(body) if len(body) < 200 else None,
        length=len(body),
        **more,
    )
