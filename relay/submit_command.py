"""``submit``: a file's rows become updates; whatever stops it, the same command goes on."""

import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay import report
from relay.client import Relay
from relay.failure import Failure, wrong
from relay.files import Format, read_rows
from relay.following import Following
from relay.ledger import Ledger, accepted
from relay.outside import Clock
from relay.patience import Patience
from relay.rendering import Bar, Screen
from relay.rows import Common, UnreadableFile
from relay.submission import Quota, Sending, check, quota
from relay.summary import Summary

_AGAIN = "nothing is lost: give the same command again, it goes on where it stopped"


@dataclass(frozen=True)
class Submission:
    """What was asked for."""

    file: str
    common: Common
    wanted: Format | None
    report: Path | None
    seconds: float | None
    most: int
    dry_run: bool
    wait: bool
    ignore_unknown: bool
    skip_invalid: bool

    @property
    def path(self) -> Path | None:
        """None is standard input."""
        return None if self.file == "-" else Path(self.file)


@dataclass(frozen=True)
class Submit:
    """Carries a submission out; ``relay`` asks the relay patiently, ``hastily`` gives up at once."""

    relay: Relay
    hastily: Relay
    patience: Patience
    clock: Clock
    screen: Screen

    def __call__(self, asked: Submission) -> int:
        """The exit status. Raises ``Failure``."""
        with ExitStack() as opened:
            stream = opened.enter_context(_stream(asked.path))
            file = opened.enter_context(report.opened(asked.report, asked.path)) if asked.report else None
            ledger = opened.enter_context(Ledger())
            summary = Summary("standard input" if asked.path is None else asked.file, ledger, asked.dry_run)
            try:
                with self.screen.bar() as bar:
                    self._run(asked, stream, summary, bar)
            except KeyboardInterrupt:
                summary.interrupted, summary.stopped = True, "interrupted"
                summary.notes.append(_stopped(summary))
            except UnreadableFile as error:
                summary.show_errors(self.screen)
                at = "" if error.line is None else f", line {error.line}"
                raise wrong(f"{summary.file}{at}: {error.detail}") from None
            finally:
                if file is not None:
                    report.write(ledger, file)
            summary.show(self.screen)
            return summary.exit_status()

    def _run(self, asked: Submission, stream: io.BufferedReader, summary: Summary, bar: Bar) -> None:
        ledger = summary.ledger
        rows = read_rows(stream, asked.path, asked.wanted, asked.common, ignore_unknown=asked.ignore_unknown)
        check(rows, ledger, bar)
        if not ledger.states():
            raise UnreadableFile("there are no rows")
        if asked.dry_run:
            summary.quota, summary.quota_fault = self._quota_if_possible()
            summary.notes.append("nothing was sent (--dry-run)")
            return
        if ledger.states()["invalid"] and not asked.skip_invalid:
            summary.notes.append("nothing was sent: mend these rows, or --skip-invalid sends the others")
            return
        summary.quota, summary.sending = quota(self.hastily), True
        if asked.wait:
            self.screen.notice(summary.estimate() or "")
        try:
            self._send(asked, summary, bar)
        except Failure as failure:
            summary.stopped = failure.message
            summary.notes += [text for text in (failure.message, failure.hint, _stopped(summary)) if text]

    def _send(self, asked: Submission, summary: Summary, bar: Bar) -> None:
        Sending(self.relay, summary.ledger, self.patience, bar, asked.most)()
        if not asked.wait:
            return
        summary.waited = True
        left = Following(self.relay, summary.ledger, self.clock, bar, asked.seconds)()
        if left:
            summary.stopped = f"{left} updates are not final after {asked.seconds:g} s"
            summary.notes.append(f"{summary.stopped}: give the same command again to go on waiting")

    def _quota_if_possible(self) -> tuple[Quota, str | None]:
        try:
            return quota(self.hastily), None
        except Failure as failure:
            return Quota(), failure.message


def _stopped(summary: Summary) -> str:
    if not summary.sending:
        return "stopped before anything was sent"
    states = summary.ledger.states()
    taken, left = accepted(states), states["notSent"]
    way = ", a batch more may have arrived" if left else ""
    return f"stopped: {taken} of {taken + left} updates are accepted{way}; {_AGAIN}"


@contextmanager
def _stream(path: Path | None) -> Iterator[io.BufferedReader]:
    if path is None:
        stdin = sys.stdin.buffer
        yield stdin if isinstance(stdin, io.BufferedReader) else io.BufferedReader(stdin)  # type: ignore[arg-type]
        return
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise wrong(f"{path} cannot be read: {error.strerror or error}") from None
