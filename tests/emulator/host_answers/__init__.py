"""What Microsoft's Functions host answered to the app in ``app/``: 4.1037 with the Python worker 4.34.0, 2026-11-25.

``http.json``: a case is ``requests`` and ``answers`` on one connection (see ``tests/emulator/host_wire.py``). An answer
without ``status`` is one of a function that shows its request: ``echo`` holds what of it is not the plain request's.
``*`` is any text. ``queue.json``: what becomes of a message where ``messageEncoding`` is none, and where it is base64.
``app/`` stays importable by the host alone: it is copied for each one.
"""

import json
import shutil
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def cases(name: str) -> list[dict[str, Any]]:
    """The recorded cases of a file."""
    found: list[dict[str, Any]] = json.loads((_HERE / f"{name}.json").read_text("utf-8"))
    return found


def copy_app(folder: Path, encoding: str = "none") -> Path:
    """The app in a folder of its own, with this ``messageEncoding``."""
    app = folder / "app"
    shutil.copytree(_HERE / "app", app, ignore=shutil.ignore_patterns("__pycache__"))
    path = app / "host.json"
    host = json.loads(path.read_text("utf-8"))
    host["extensions"]["queues"]["messageEncoding"] = encoding
    path.write_text(json.dumps(host))
    return app


def read_records(path: Path) -> list[dict[str, Any]]:
    """What the app's queue and timer functions saw, so far."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]
