"""The submission of a file. Whatever stops it, the same command goes on where it stopped."""

import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay.client import RelayClient
from relay.errors import CommandError, usage_error
from relay.output.screen import ProgressBars, Screen
from relay.retry import RetryBackoff
from relay.rows.file_reader import read_rows
from relay.rows.options import ReadOptions
from relay.rows.row import UnreadableFile
from relay.submission.batch_sender import BatchSender
from relay.submission.outcome_poller import OutcomePoller
from relay.submission.quota import WriteQuota, read_quota
from relay.submission.report import open_report, write_report
from relay.submission.row_check import check_rows
from relay.submission.submission_log import SubmissionLog, count_accepted
from relay.submission.summary import Summary
from relay.system import Clock

_RESUME = "nothing is lost: give the same command again to go on"


@dataclass(frozen=True)
class SubmitRequest:
    """The options of a submission."""

    file: str
    read: ReadOptions
    report: Path | None
    batch_rows: int
    wait_seconds: float | None
    dry_run: bool
    wait: bool
    skip_invalid: bool

    @property
    def path(self) -> Path | None:
        """Return the file's path; None is standard input."""
        return None if self.file == "-" else Path(self.file)


@dataclass(frozen=True)
class Submit:
    """Carries out a submission; ``no_retry`` is a client that gives up after a few seconds."""

    client: RelayClient
    no_retry: RelayClient
    backoff: RetryBackoff
    clock: Clock
    screen: Screen

    def __call__(self, request: SubmitRequest) -> int:
        """Submit the file and return the exit status. Raise ``CommandError``."""
        with ExitStack() as stack:
            stream = stack.enter_context(_open(request.path))
            report = stack.enter_context(open_report(request.report, request.path)) if request.report else None
            log = stack.enter_context(SubmissionLog())
            summary = Summary("standard input" if request.path is None else request.file, log, request.dry_run)
            try:
                with self.screen.progress_bars() as bars:
                    self._submit(request, stream, summary, bars)
            except KeyboardInterrupt:
                summary.interrupted, summary.stopped = True, "interrupted"
                summary.notes.append(_stop_note(summary))
            except UnreadableFile as error:
                summary.show_errors(self.screen)
                line = "" if error.line is None else f", line {error.line}"
                raise usage_error(f"{summary.file}{line}: {error.detail}") from None
            finally:
                if report is not None:
                    write_report(log, report)
            summary.show(self.screen)
            return summary.exit_status()

    def _submit(self, request: SubmitRequest, stream: io.BufferedReader, summary: Summary, bars: ProgressBars) -> None:
        log = summary.log
        check_rows(read_rows(stream, request.path, request.read), log, bars)
        if not log.states():
            raise UnreadableFile("there are no rows")
        if request.dry_run:
            summary.quota, summary.quota_fault = self._quota_or_default()
            summary.notes.append("nothing was sent (--dry-run)")
            return
        if log.states()["invalid"] and not request.skip_invalid:
            summary.notes.append("nothing was sent: correct these rows, or send the others with --skip-invalid")
            return
        summary.quota, summary.sending = read_quota(self.no_retry), True
        if request.wait:
            self.screen.notice(summary.estimate() or "")
        try:
            self._send(request, summary, bars)
        except CommandError as error:
            summary.stopped = error.message
            summary.notes += [text for text in (error.message, error.hint, _stop_note(summary)) if text]

    def _send(self, request: SubmitRequest, summary: Summary, bars: ProgressBars) -> None:
        BatchSender(self.client, summary.log, self.backoff, bars, request.batch_rows).send_all()
        if not request.wait:
            return
        summary.waited = True
        count = OutcomePoller(self.client, summary.log, self.clock, bars, request.wait_seconds).poll()
        if count:
            summary.stopped = f"{count} updates are not final after {request.wait_seconds:g} s"
            summary.notes.append(f"{summary.stopped}: give the same command again to go on waiting")

    def _quota_or_default(self) -> tuple[WriteQuota, str | None]:
        """Return the quota, and why it is the default one."""
        try:
            return read_quota(self.no_retry), None
        except CommandError as error:
            return WriteQuota(), error.message


def _stop_note(summary: Summary) -> str:
    if not summary.sending:
        return "stopped before anything was sent"
    states = summary.log.states()
    accepted, unsent = count_accepted(states), states["notSent"]
    in_flight = ", a batch more may have arrived" if unsent else ""
    return f"stopped: {accepted} of {accepted + unsent} updates are accepted{in_flight}; {_RESUME}"


@contextmanager
def _open(path: Path | None) -> Iterator[io.BufferedReader]:
    """Open the file or standard input as bytes. Raise ``CommandError``."""
    if path is None:
        stdin = sys.stdin.buffer
        yield stdin if isinstance(stdin, io.BufferedReader) else io.BufferedReader(stdin)  # type: ignore[arg-type]
        return
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise usage_error(f"{path} cannot be read: {error.strerror or error}") from None
