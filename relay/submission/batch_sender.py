"""Sending rows in batches. A batch whose answer is lost is sent again.

Each row has an idempotency key, so it is one update however often it is sent, by this command or by the next.
"""

from dataclasses import dataclass
from typing import Any

from relay.client import ApiError, RelayClient
from relay.errors import CommandError
from relay.retry import RetryBackoff
from relay.submission.progress import Progress
from relay.submission.submission_log import SubmissionLog
from shared.core.basics.update_id import is_update_id
from shared.core.intake.limits import MAX_BATCH_BYTES

_BAD_REQUEST = 400


@dataclass(frozen=True)
class BatchSender:
    """Sends the rows of the log, at most ``max_rows`` in a request."""

    client: RelayClient
    log: SubmissionLog
    backoff: RetryBackoff
    progress: Progress
    max_rows: int

    def send_all(self) -> None:
        """Send every row. Raise ``CommandError`` when the relay is away for too long."""
        total, done = self.log.states()["notSent"], 0
        self.progress.step("sent", done, total)
        while batch := self.log.next_batch(self.max_rows, MAX_BATCH_BYTES):
            unsent = self._send(batch)
            done += len(batch) - unsent
            self.progress.step("sent", done, total)
            if unsent == len(batch):
                self.backoff.wait(CommandError("the relay cannot reach its storage"))
            else:
                self.backoff.reset()

    def _send(self, batch: list[tuple[int, str]]) -> int:
        """Send a batch; return how many of its rows must be sent again."""
        lines = [line for line, _ in batch]
        body = f'{{"updates":[{",".join(message for _, message in batch)}]}}'.encode()
        try:
            results: Any = self.client.post("/api/updates/batch", body, idempotent=True).body.get("value")
        except ApiError as error:
            if error.status != _BAD_REQUEST:
                raise
            return self._record_refusal(lines, error)
        if not _are_results(results, len(lines)):
            raise CommandError("the answer to a batch is not the relay's", f"does {self.client.url} lead to a relay?")
        return self._record(lines, results)

    def _record(self, lines: list[int], results: list[dict[str, Any]]) -> int:
        by_line = list(zip(lines, results, strict=True))
        self.log.mark_accepted([(line, item["id"], item["status"]) for line, item in by_line if "id" in item])
        errors = [(line, item["error"]) for line, item in by_line if "id" not in item]
        unsent = [line for line, error in errors if error.get("code") == "storageUnavailable"]
        for line, error in errors:
            if line not in unsent:
                self.log.mark_refused(line, error)
        return len(unsent)

    def _record_refusal(self, lines: list[int], refusal: ApiError) -> int:
        """Record a refusal of the whole batch; the pointers of its faults lead to the rows."""
        faults: dict[int, list[dict[str, str]]] = {}
        for fault in refusal.errors:
            _, _, rest = str(fault.get("pointer")).partition("/updates/")
            index, slash, inner = rest.partition("/")
            if index.isascii() and index.isdigit() and int(index[:6]) < len(lines):
                of_row = {"pointer": slash + inner, "detail": str(fault.get("detail"))}
                faults.setdefault(int(index), []).append(of_row)
        if len(faults) < len(lines):
            raise refusal
        for at, errors in faults.items():
            self.log.mark_refused(lines[at], {"code": _code(errors), "message": "", "errors": errors})
        return 0


def _code(errors: list[dict[str, str]]) -> str:
    keys = any(error["pointer"] == "/idempotencyKey" for error in errors)
    return "idempotencyKeyConflict" if keys else "invalidMessage"


def _are_results(results: object, count: int) -> bool:
    """Return whether this is what a relay answers to a batch of so many rows."""
    return isinstance(results, list) and len(results) == count and all(map(_is_result, results, range(count)))


def _is_result(result: object, index: int) -> bool:
    if not isinstance(result, dict) or result.get("index") != index:
        return False
    accepted = is_update_id(str(result.get("id"))) and "status" in result
    return accepted or isinstance(result.get("error"), dict)
