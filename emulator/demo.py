"""``make demo``: send the documented example, watch its outcome arrive, show the PATCH that Graph saw."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import requests

_RELAY = "http://127.0.0.1:7071/api/updates"
_GRAPH = "http://127.0.0.1:7072/_emulator/requests"
_EXAMPLE = Path(__file__).parent.parent / "examples" / "update.json"
_SECONDS = 30


def main() -> int:
    """Run the demo; return the exit status, 0 when Graph has the example's values."""
    example = json.loads(_EXAMPLE.read_text())
    try:
        answer = requests.post(_RELAY, json=example, timeout=10)
    except requests.ConnectionError:
        print("nothing listens at 127.0.0.1:7071: start `make run` in another terminal first", file=sys.stderr)
        return 1
    print(f"POST /api/updates -> {answer.status_code}")
    answer.raise_for_status()
    update = _followed(answer.headers["Location"])
    print(json.dumps(update, indent=2, ensure_ascii=False))
    sent = _sent(update)
    if sent is not None:
        print(f"\nGraph saw: PATCH {sent['path']}\n{json.dumps(sent['body'], indent=2, ensure_ascii=False)}")
    else:
        print("\nGraph holds these values already: this update needed no call.")
    return 0 if update["status"] == "succeeded" else 1


def _followed(location: str) -> dict[str, Any]:
    end, last = time.monotonic() + _SECONDS, ""
    while True:
        update: dict[str, Any] = requests.get(location, timeout=10).json()
        state = f"{update['status']} {update['statusDetail'] or ''}".strip()
        if state != last:
            print(f"  {state}")
            last = state
        if update["status"] in ("succeeded", "failed", "canceled") or time.monotonic() > end:
            return update
        time.sleep(0.2)


def _sent(update: dict[str, Any]) -> dict[str, Any] | None:
    ids = {attempt["clientRequestId"] for attempt in update["attempts"]}
    seen = requests.get(_GRAPH, timeout=10).json()["value"]
    return next((request for request in seen if request["headers"].get("client-request-id") in ids), None)


if __name__ == "__main__":
    sys.exit(main())
