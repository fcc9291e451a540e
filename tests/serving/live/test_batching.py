"""The batcher: greedy batches, bounded queue, deadlines, and a fault that stays with its culprit."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from serving.live.batching import Batcher, Overloaded


class Runner:
    """Doubles numbers, keeps the batches it saw, and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.alone: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items: Sequence[int], alone: bool) -> list[int]:
        self.batches.append(list(items))
        self.alone.append(alone)
        assert self.gate.wait(10)
        if any(item < 0 for item in items):
            raise ValueError("a negative item")
        return [2 * item for item in items]


@asynccontextmanager
async def batching(
    runner: Callable[[Sequence[int], bool], Sequence[int]], **options: int
) -> AsyncIterator[Batcher[int, int]]:
    """A batcher that is closed at the end."""
    batcher = Batcher(runner, **options)
    try:
        yield batcher
    finally:
        await asyncio.wait_for(batcher.close(), 10)


def soon(seconds: float = 5.0) -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + seconds


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def test_results_come_in_the_order_of_the_items() -> None:
    async def scenario() -> None:
        async with batching(Runner(), max_batch=3) as batcher:
            assert await batcher.submit(range(10), soon()) == [2 * item for item in range(10)]
            assert await batcher.submit([], soon()) == []

    asyncio.run(scenario())


def test_callers_of_one_moment_share_a_batch() -> None:
    async def scenario() -> None:
        runner = Runner()
        async with batching(runner) as batcher:
            await asyncio.gather(*(batcher.submit([item], soon()) for item in range(8)))
        assert runner.batches == [list(range(8))]

    asyncio.run(scenario())


def test_what_came_during_a_run_is_the_next_batch() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, max_batch=4) as batcher:
            calls = [asyncio.create_task(batcher.submit([0], soon()))]
            await until(lambda: bool(runner.batches))
            calls += [asyncio.create_task(batcher.submit([item], soon())) for item in range(1, 7)]
            await asyncio.sleep(0.01)
            runner.gate.set()
            assert await asyncio.gather(*calls) == [[2 * item] for item in range(7)]
        assert runner.batches == [[0], [1, 2, 3, 4], [5, 6]]

    asyncio.run(scenario())


def test_a_lone_request_after_a_burst_does_not_wait() -> None:
    async def scenario() -> None:
        async with batching(Runner()) as batcher:
            for _ in range(20):
                await asyncio.gather(*(batcher.submit([item], soon()) for item in range(64)))
            delays = []
            for _ in range(50):
                start = time.perf_counter()
                await batcher.submit([1], soon())
                delays.append(time.perf_counter() - start)
        assert sorted(delays)[25] < 0.01

    asyncio.run(scenario())


def test_only_the_culprit_of_a_failing_batch_fails() -> None:
    async def scenario() -> None:
        async with batching(Runner()) as batcher:
            results = await asyncio.gather(*(batcher.submit([item], soon()) for item in (1, 2, -1, 3)))
        assert [results[place] for place in (0, 1, 3)] == [[2], [4], [6]]
        assert isinstance(results[2][0], ValueError)

    asyncio.run(scenario())


def test_a_result_that_is_an_exception_belongs_to_its_item_alone() -> None:
    async def scenario() -> None:
        runs: list[int] = []

        def judge(items: Sequence[int], alone: bool) -> list[int | Exception]:
            runs.append(len(items))
            return [ValueError("odd") if item % 2 else item for item in items]

        batcher = Batcher(judge)
        results = await batcher.submit([2, 3, 4], soon())
        await batcher.close()
        assert (results[0], results[2], str(results[1])) == (2, 4, "odd")
        assert runs == [3]

    asyncio.run(scenario())


def test_a_runner_that_loses_results_fails_its_batch_and_not_the_batcher() -> None:
    async def scenario() -> None:
        async with batching(lambda items, alone: [1] * (len(items) - 1)) as batcher:
            results = await batcher.submit([1, 2], soon())
            assert all(isinstance(result, RuntimeError) for result in results)

    asyncio.run(scenario())


def test_a_full_queue_refuses_at_once_and_takes_no_part_of_the_request() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, max_queue=4) as batcher:
            running = asyncio.create_task(batcher.submit([0], soon()))
            await until(lambda: bool(runner.batches))
            waiting = asyncio.create_task(batcher.submit([1, 2, 3], soon()))
            await asyncio.sleep(0)
            start = time.perf_counter()
            with pytest.raises(Overloaded, match="3 of 4 places are taken, 2 more"):
                await batcher.submit([4, 5], soon())
            assert time.perf_counter() - start < 0.1
            runner.gate.set()
            assert await running == [0]
            assert await waiting == [2, 4, 6]
        assert runner.batches == [[0], [1, 2, 3]]

    asyncio.run(scenario())


def test_a_late_request_leaves_the_queue() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, max_queue=2) as batcher:
            running = asyncio.create_task(batcher.submit([0], soon()))
            await until(lambda: bool(runner.batches))
            for _ in range(5):  # each takes the whole queue, so the one before must have left it
                with pytest.raises(TimeoutError):
                    await batcher.submit([7, 8], soon(0.02))
            runner.gate.set()
            await running
        assert runner.batches == [[0]]

    asyncio.run(scenario())


def test_a_cancelled_caller_leaves_the_queue_and_the_others_stay() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner) as batcher:
            running = asyncio.create_task(batcher.submit([0], soon()))
            await until(lambda: bool(runner.batches))
            gone = asyncio.create_task(batcher.submit([1], soon()))
            stays = asyncio.create_task(batcher.submit([2], soon()))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.wait([gone])
            runner.gate.set()
            assert await running == [0]
            assert await stays == [4]
        assert runner.batches == [[0], [2]]

    asyncio.run(scenario())


def test_a_caller_that_leaves_during_its_run_disturbs_no_one(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner) as batcher:
            calls = [asyncio.create_task(batcher.submit([item], soon())) for item in (-1, 2)]
            await until(lambda: bool(runner.batches))
            calls[0].cancel()
            runner.gate.set()
            assert await calls[1] == [4]

    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(scenario())
    assert not caplog.records


def test_closing_finishes_what_waits_and_refuses_what_comes() -> None:
    async def scenario() -> None:
        batcher = Batcher(Runner(), max_batch=2)
        calls = [asyncio.create_task(batcher.submit([item], soon())) for item in range(5)]
        await asyncio.sleep(0)
        await batcher.close()
        assert [call.result() for call in calls] == [[0], [2], [4], [6], [8]]
        with pytest.raises(Overloaded):
            await batcher.submit([1], soon())

    asyncio.run(scenario())


def test_several_runners_work_at_once() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, max_batch=1, n_runners=2) as batcher:
            call = asyncio.create_task(batcher.submit([1, 2, 3], soon()))
            await until(lambda: len(runner.batches) == 2)
            runner.gate.set()
            assert await call == [2, 4, 6]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("n_more", "batches"),
    [
        (8, [[0], [1, 2, 3, 4]]),  # half of nine, though eight waited
        (2, [[0], [1]]),  # one image waits for the next runner, rather than both for one
    ],
)
def test_a_runner_takes_an_equal_share_of_all_that_waits_or_runs(n_more: int, batches: list[list[int]]) -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, n_runners=2) as batcher:
            first = asyncio.create_task(batcher.submit([0], soon()))
            await until(lambda: len(runner.batches) == 1)
            more = asyncio.create_task(batcher.submit(range(1, 1 + n_more), soon()))
            await until(lambda: len(runner.batches) == 2)
            assert runner.batches == batches
            runner.gate.set()
            assert await first + await more == [2 * item for item in range(1 + n_more)]
            await until(lambda: batcher._n_running == 0)

    asyncio.run(scenario())


def test_a_runner_is_told_whether_its_batch_is_alone() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, n_runners=2) as batcher:
            calls = [asyncio.create_task(batcher.submit([1], soon()))]
            await until(lambda: len(runner.batches) == 1)
            calls.append(asyncio.create_task(batcher.submit([2], soon())))
            await until(lambda: len(runner.batches) == 2)
            runner.gate.set()
            await asyncio.gather(*calls)
            await batcher.submit([3], soon())
            await batcher.submit([4, 5], soon())
        # 1 came first, 2 while it ran, 3 when all was done, 4 when 5 waited; 5 may have come after 4 was done
        assert runner.alone[:4] == [True, False, True, False]

    asyncio.run(scenario())


def test_a_batch_is_taken_while_the_loop_is_busy() -> None:
    async def scenario() -> None:
        runner = Runner()
        runner.gate.clear()
        async with batching(runner, max_batch=1) as batcher:
            call = asyncio.create_task(batcher.submit([1, 2], soon()))
            await until(lambda: bool(runner.batches))
            runner.gate.set()
            end = time.perf_counter() + 5
            while len(runner.batches) < 2 and time.perf_counter() < end:
                time.sleep(0.001)  # the loop stands still, as it does while it answers others
            assert runner.batches == [[1], [2]]
            await call

    asyncio.run(scenario())
