"""The emulated host answers HTTP as Microsoft's host did."""

import hashlib
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.host import FUNCTION_KEY, MASTER_KEY
from emulator.host_process import chosen
from emulator.stack import Host, azurite, started
from tests.emulator.host_answers import cases, copy_app
from tests.emulator.host_wire import Asked, sent_body, target

pytestmark = pytest.mark.azurite

#: ``func`` asks for no keys.
CASES = {case["name"]: case for case in cases("http") if chosen() == "emulator" or "/level/" not in str(case)}
KEYS = {"function-key": "ha-function-key", "master-key": "ha-master-key"}
#: Where the emulator does not answer as the host does, and why that stays so.
DIFFERS = {
    "aiohttp's parser refuses it before the emulator sees it; Kestrel takes it, or refuses it in another way": [
        "method: unknown FOO on a route of seven methods",
        "method: FOO on a route that names no methods",
        "method: get in lower case",
        "method: lower case on a GET route",
        "path value: a raw tab",
        "path value: a raw DEL",
        "header: a control character",
        "header: bare line feeds",
        "body: two Content-Types",
        "body: chunked, bad size",
        "body: chunked and Content-Length",
        "body: Content-Length +3",
        "pipelined: a bad one second",
        "HTTP/1.2 in the first line",
        "HTTP/2 with prior knowledge",
    ],
    "Kestrel refuses it; aiohttp's parser takes it, and no sender of ours can make it": [
        "method: CONNECT",
        "target: absolute form",
        "target: absolute form, https",
        "two spaces in the first line",
        "HTTP/1.0 POST without a length",
    ],
    "Kestrel rewrites the Connection header": ["header: Upgrade h2c"],
    "aiohttp names a content type for any body": ["answer: mimetype empty", "answer header: Content-Type empty"],
    "the host remembers a key that was right once, and then takes it in any case": [
        "key: in another case, after the right one was used",
    ],
    "the host never ends such an answer: what the app did there is a fault": [
        "answer header: Transfer-Encoding chunked"
    ],
    "azure-functions-runtime 1.3.0 raises; the worker 4.34.0 did not": ["Set-Cookie: Expires in another form"],
}
LISTED = {name for names in DIFFERS.values() for name in names} if chosen() == "emulator" else set()


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Whether the answer to a case is the recorded one. All are asked, several at a time."""
    folder = tmp_path_factory.mktemp("host")
    keys = {FUNCTION_KEY: KEYS["function-key"], MASTER_KEY: KEYS["master-key"]}
    with azurite() as storage, ThreadPoolExecutor(8) as threads:
        stored = dict.fromkeys(("AzureWebJobsStorage", "ANSWERS_STORAGE"), storage.connection_string)
        host = Host(copy_app(folder), {"ANSWERS_FILE": str(folder / "records")} | stored | keys)
        with started(host):
            asked = Asked(host.port, KEYS)
            answers = list(threads.map(asked.ask, CASES.values()))
    return {name: agrees(asked, CASES[name], answer) for name, answer in zip(CASES, answers, strict=True)}


def test_every_answer_is_the_recorded_one(agreeing: dict[str, bool]) -> None:
    """All but the listed ones; what differs is printed."""
    assert [name for name, yes in agreeing.items() if not yes and name not in LISTED] == []


def test_what_is_listed_differs_still(agreeing: dict[str, bool]) -> None:
    """A case that agrees by now, or is none, need not be listed."""
    assert [name for name in LISTED if agreeing.get(name, True)] == []


def agrees(asked: Asked, case: dict[str, Any], found: list[Any]) -> bool:
    """Whether the answers to a case are the recorded ones."""
    wanted = [expected(asked, *pair) for pair in zip(case["requests"], case["answers"], strict=False)]
    if same(wanted, found):
        return True
    sys.stderr.write(f"{case['name']}\n  wanted {wanted}\n  found  {found}\n")
    return False


def expected(asked: Asked, request: dict[str, Any], answer: dict[str, Any]) -> Any:
    """A recorded answer, whole."""
    if "error" in answer:
        return answer
    if "echo" not in answer:
        plain = {} if "bodyBase64" in answer else {"body": ""}
        return filled(asked, {"headers": {}} | plain | answer)
    shown = {
        "method": request.get("method", "GET"),
        "url": f"http://{{host}}{target(request)}",
        "headers": {"host": "{host}"},
        "params": {},
        "route_params": {},
        "body": "none",
    } | answer["echo"]
    if shown["body"] == "sent":
        shown["body"] = hashlib.sha256(sent_body(asked, request)).hexdigest()
    watched = {name: value for name, value in answer.items() if name != "echo"}
    whole = {"status": 200, "headers": {"content-type": "application/json"}, "body": shown}
    return filled(asked, whole | watched)


def filled(asked: Asked, value: Any) -> Any:
    """A value with its placeholders filled in."""
    match value:
        case str():
            return asked.filled(value)
        case dict():
            return {name: filled(asked, member) for name, member in value.items()}
        case list():
            return [filled(asked, element) for element in value]
        case _:
            return value


def same(wanted: Any, found: Any) -> bool:
    """Whether they are alike; ``*`` in a wanted text is any text."""
    match wanted, found:
        case dict(), dict():
            return wanted.keys() == found.keys() and all(same(wanted[name], found[name]) for name in wanted)
        case list(), list():
            return len(wanted) == len(found) and all(map(same, wanted, found))
        case str(), str():
            return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), found, re.DOTALL) is not None
        case _:
            return bool(wanted == found)
