"""Work that is cancelled before it began is put away quietly: Python would print a warning over the user's shell."""

from __future__ import annotations

import inspect
from typing import Any

from textual.worker import Worker
from textual.worker_manager import WorkerManager


class QuietWorkers(WorkerManager):
    """The app's workers."""

    def add_worker(self, worker: Worker[Any], start: bool = True, exclusive: bool = True) -> None:
        super().add_worker(worker, start=start, exclusive=exclusive)
        work, task = worker._work, worker._task  # noqa: SLF001 - there is no other way to them
        if task is not None and inspect.iscoroutine(work):
            task.add_done_callback(lambda _task: work.close())
