"""What Ray Tune's driver tells while trials run: progress to the one who watches, and when to stop them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ray import tune

from tenure.training.record import SeedRecord
from tenure.training.workers import Failure, Progress


@dataclass
class Inbox:
    """What has come in from the trials of one run.

    Args:
        watch: is told of progress.
        records: of the jobs that are done, by name.
        ended: what ends the run: the first failure of a job, or what `watch` raised.
    """

    watch: Callable[[Progress], None]
    records: dict[str, SeedRecord] = field(default_factory=dict)
    ended: BaseException | None = None

    def take(self, job: str, result: dict[str, Any]) -> None:
        """One report of a trial."""
        if self.ended is not None:
            return
        if isinstance(result.get("failure"), Failure):
            self.ended = result["failure"].error()
        elif isinstance(result.get("record"), SeedRecord):
            self.records[job] = result["record"]
        if isinstance(result.get("progress"), Progress):
            self._show(result["progress"])

    def _show(self, progress: Progress) -> None:
        try:
            self.watch(progress)
        except BaseException as error:  # Ctrl-C too: Tune would wrap it, and go on with its other trials
            self.ended = error


_open: list[Inbox] = []
"""The inbox of the run this process drives. Tune pickles callbacks with its state, and a watch cannot be pickled."""


@contextmanager
def opened(watch: Callable[[Progress], None]) -> Iterator[Inbox]:
    """An inbox that a `Relay` fills for as long."""
    inbox = Inbox(watch)
    _open.append(inbox)
    try:
        yield inbox
    finally:
        _open.remove(inbox)


class Relay(tune.Callback):
    """Fills the open inbox."""

    def on_trial_result(
        self,
        iteration: int,  # noqa: ARG002
        trials: list[Any],  # noqa: ARG002
        trial: Any,
        result: dict[str, Any],
        **_: Any,
    ) -> None:
        """One report, passed on."""
        _open[-1].take(str(trial), result)


class FirstFailure(tune.Stopper):
    """Stops every trial as soon as the run is to end."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002
        """Never one trial alone."""
        return False

    def stop_all(self) -> bool:
        """The run is to end."""
        return _open[-1].ended is not None
