"""A batcher that never waits: whatever is queued when a runner is free goes to the model as one batch.

The one thing here not taken from a library. BentoML's adaptive batcher keeps a learnt wait: right after a burst of 64
clients a lone request takes 4 to 30 times as long as on a fresh server (medians of rounds, two networks), its
`max_latency_ms` does not cap that, and one damaged image fails the whole batch (64 of 64 answers). On two cores with
32 clients it reaches 0.50 of decode + raw onnxruntime with WRN-28-2 at 32 px and 0.60 with ResNet-18 at 96 px; this
service 0.96 and 0.97 (docs/serving.md). The design is the plain one of a dynamic batcher: bounded queue, greedy
batches, a deadline for each request. The runners' threads take their batches themselves, so that none stands still
while the event loop is busy with requests.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Overloaded(Exception):  # noqa: N818
    """The queue is full or closing; the caller may try again soon."""


class _Call(Generic[Item, Result]):
    """The items of one caller and what became of them."""

    def __init__(self, items: Sequence[Item], loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.results: list[Result | BaseException] = [RuntimeError("no result yet")] * len(items)
        self.places = [_Place(self, number, item) for number, item in enumerate(items)]
        self.n_missing = len(items)
        self.done: asyncio.Future[None] = loop.create_future()

    def expire(self) -> None:
        """Ends the caller's wait at its deadline."""
        if not self.done.done():
            self.done.set_exception(TimeoutError("no result before the deadline"))


class _Place(Generic[Item, Result]):
    """One item in the queue; compared by identity, as two items may be equal."""

    __slots__ = ("call", "item", "number")

    def __init__(self, call: _Call[Item, Result], number: int, item: Item) -> None:
        self.call = call
        self.number = number
        self.item = item


class Batcher(Generic[Item, Result]):
    """Collects items of concurrent callers into batches for `run`, which gives one result an item, in order.

    `run` is called in `n_runners` threads, with a batch and whether it is alone: no other one waits or runs. A result
    may be an exception, which belongs to its item alone. When `run` raises on a batch, each item is run by itself, so
    that the fault stays with its culprit. All callers must be in one event loop.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item], bool], Sequence[Result | BaseException]],
        max_batch: int = 64,
        max_queue: int = 1024,
        n_runners: int = 1,
    ) -> None:
        self._run = run
        self._max_batch = max_batch
        self._max_queue = max_queue
        # A dict keeps the order of arrival and lets a cancelled caller leave in constant time.
        self._queue: dict[_Place[Item, Result], None] = {}
        self._changed = threading.Condition()
        self._n_running = 0  # items in runs
        self._wake_due = False
        self._closed = False
        self._runners = [threading.Thread(target=self._work, name="batch", daemon=True) for _ in range(n_runners)]
        for runner in self._runners:
            runner.start()

    async def submit(self, items: Sequence[Item], deadline: float) -> list[Result | BaseException]:
        """One result or exception for each item, in order.

        `deadline` is a time of the running loop. Raises Overloaded at once when the items do not fit the queue,
        TimeoutError at the deadline. A caller that is cancelled or late takes its items out of the queue.
        """
        loop = asyncio.get_running_loop()
        call: _Call[Item, Result] = _Call(items, loop)
        with self._changed:
            if self._closed or len(self._queue) + len(items) > self._max_queue:
                taken = f"{len(self._queue)} of {self._max_queue} places are taken"
                raise Overloaded(f"{taken}, {len(items)} more are wanted")
            self._queue.update(dict.fromkeys(call.places))
        if not items:
            return []
        if not self._wake_due:
            # Deferred to the end of this turn of the loop, so that callers of the same turn share a batch.
            self._wake_due = True
            loop.call_soon(self._wake)
        timer = loop.call_at(deadline, call.expire)
        try:
            await call.done
        finally:
            timer.cancel()
            if call.n_missing:
                with self._changed:
                    for place in call.places:
                        self._queue.pop(place, None)
        return call.results

    async def close(self) -> None:
        """Refuses new items and finishes those that wait or run."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for runner in self._runners:
            await asyncio.to_thread(runner.join)

    def _wake(self) -> None:
        self._wake_due = False
        with self._changed:
            self._changed.notify(len(self._queue))

    def _work(self) -> None:
        """A runner's thread."""
        while True:
            batch, alone = self._take()
            if not batch:
                return
            results = self._run_all([place.item for place in batch], alone)
            with self._changed:
                self._n_running -= len(batch)
            batch[0].call.loop.call_soon_threadsafe(_deliver, batch, results)

    def _take(self) -> tuple[list[_Place[Item, Result]], bool]:
        """The next batch, as soon as there is one, and whether it is alone; an empty one when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            # An equal share of all that waits or runs, so that no runner has a long batch while another one gets free;
            # the odd one is left to the next: with three images to two runners one would stand still while the other
            # had two.
            share = max(1, (len(self._queue) + self._n_running) // len(self._runners))
            batch = list(islice(self._queue, min(share, self._max_batch)))
            for place in batch:
                del self._queue[place]
            alone = not self._queue and not self._n_running
            self._n_running += len(batch)
            return batch, alone

    def _run_all(self, items: list[Item], alone: bool) -> list[Result | BaseException]:
        """Results of a batch in the runner's thread; a failing batch is retried one by one."""
        try:
            results = list(self._run(items, alone))
            if len(results) != len(items):
                raise RuntimeError(f"a batch of {len(items)} gave {len(results)} results")
        except Exception as error:  # whatever `run` raises belongs to its caller, not to the batcher
            return [error] if len(items) == 1 else [self._run_all([item], alone)[0] for item in items]
        return results


def _deliver(batch: list[_Place[Item, Result]], results: list[Result | BaseException]) -> None:
    for place, result in zip(batch, results, strict=True):
        call = place.call
        call.results[place.number] = result
        call.n_missing -= 1
        if not call.n_missing and not call.done.done():
            call.done.set_result(None)
