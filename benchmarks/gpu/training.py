"""Part 3: trainings at the paper's setting, as many at once as the card takes, in the order of their worth."""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.gpu.family import leave_with_parent, mark_as_child
from benchmarks.gpu.parcel import pack_predictions
from benchmarks.gpu.ramp import Level, next_level
from benchmarks.gpu.results import FILE, add_line, items_done, read_lines
from benchmarks.gpu.runs import PROGRESS, RESULT, Run, choose_mode, plan_runs, read_json, solo_ms
from benchmarks.gpu.settings import Settings, child_command, read_settings
from benchmarks.gpu.sizes import MODES, sizes
from benchmarks.gpu.watch import AGAIN, end_group

PART = "training"
TICK_S = 0.1
START_SHARE = 0.04
"""Of the call's budget: with less left no further training is started, it would not reach a checkpoint."""


class Active:
    """A training that runs now."""

    def __init__(self, settings: Settings, run: Run, mode: str) -> None:
        self.run, self.mode = run, mode
        self.folder = run.folder(settings)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / PROGRESS).unlink(missing_ok=True)
        self.log = self.folder / "log.txt"
        command = child_command("train_one", settings, run.method, run.variant, str(run.seed), mode)
        threads = str(max(1, (os.cpu_count() or 1) // 4))
        environment = {"OMP_NUM_THREADS": threads} | os.environ | mark_as_child()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, process_group=0
            )

    def fault(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text("utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"


class Scheduler:
    """Holds what waits, what runs and how fast; `run` is its only use."""

    def __init__(self, settings: Settings, deadline: float) -> None:
        self.settings, self.deadline = settings, deadline
        self.lines = read_lines(settings.work / FILE)
        done = items_done(settings, PART)
        self.waiting = [run for run in plan_runs(settings.tiny) if run.name not in done]
        self.mode = choose_mode(self.lines, settings.tiny, MODES[settings.device][0])
        self.active: list[Active] = []
        self.speeds: dict[int, float] = {}
        self.level = Level(1, False)
        self.window: dict[str, dict[str, float]] = {}

    def run(self) -> None:
        """Trains until all is done or the time is up."""
        try:
            while self.waiting or self.active:
                self._reap()
                self._fill()
                if not self.active and not self._may_start():
                    break
                if not self.level.settled:
                    self._probe()
                time.sleep(TICK_S)
        finally:
            for active in self.active:
                end_group(active.process)
                _tell_cut(self.settings, active)

    def _may_start(self) -> bool:
        return bool(self.waiting) and self.deadline - time.time() > START_SHARE * self.settings.seconds

    def _fill(self) -> None:
        while len(self.active) < self.level.processes and self._may_start():
            run = self.waiting.pop(0)
            if (run.folder(self.settings) / RESULT).exists():
                record(self.settings, run, self.level.processes)  # a cut came between the result and its line
            else:
                self.active.append(Active(self.settings, run, self.mode))
                self.window = {}

    def _reap(self) -> None:
        for active in [one for one in self.active if one.process.poll() is not None]:
            self.active.remove(active)
            self.window = {}
            status = active.process.returncode
            if status == 0:
                record(self.settings, active.run, self.level.processes)
            elif status == AGAIN:
                _tell_cut(self.settings, active)
            else:
                self._recover(active, status)

    def _recover(self, active: Active, status: int) -> None:
        """A fault may lie in the fast mode: the training goes on eagerly once, from its checkpoint, and so do all."""
        fault = active.fault()
        retry = active.mode != "eager" and "NonFiniteError" not in fault
        outcome = "; goes on in mode eager" if retry else ""
        name = f"{active.run.name} in mode {active.mode}" if retry else active.run.name
        add_line(self.settings, PART, name, "error", error=f"{fault} (exit status {status}){outcome}")
        if retry:
            self.mode = "eager"
            self.waiting.insert(0, active.run)

    def _probe(self) -> None:
        """Reads the speed of all that run over a window, and steps up or settles."""
        if len(self.active) < self.level.processes:
            return
        now = {one.run.name: read_json(one.folder / PROGRESS) for one in self.active}
        if not all(now.values()):
            return
        if not self.window:
            self.window = now
            return
        if min(now[name]["time"] - self.window[name]["time"] for name in now) < sizes(self.settings.tiny).probe_s:
            return
        speed = 0.0
        for one in self.active:
            old, new = self.window[one.run.name], now[one.run.name]
            rate = (new["step"] - old["step"]) / (new["time"] - old["time"])
            speed += rate * solo_ms(self.lines, one.run, one.mode) / 1000
        tried = self.level.processes
        self.speeds[tried] = speed
        self.level = next_level(self.speeds)
        self.window = {}
        add_line(
            self.settings, PART, f"{tried} at once", "info",
            processes=tried, speed=speed, chosen=self.level.processes, settled=self.level.settled, mode=self.mode,
        )  # fmt: skip
        for surplus in self.active[self.level.processes :]:
            end_group(surplus.process)
            self.active.remove(surplus)
            self.waiting.insert(0, surplus.run)


def record(settings: Settings, run: Run, processes: int) -> None:
    """Packs the predictions of a finished training and writes its line."""
    result = read_json(run.folder(settings) / RESULT)
    packed = pack_predictions(settings, run)
    add_line(settings, PART, run.name, "ok", **result, processes=processes, predictions=packed)


def _tell_cut(settings: Settings, active: Active) -> None:
    step = read_json(active.folder / PROGRESS).get("step", 0)
    add_line(settings, PART, active.run.name, "cut", step=step, reason="the time was up; --resume goes on")


def main() -> int:
    """Runs the part."""
    leave_with_parent()
    Scheduler(read_settings(Path(sys.argv[1])), float(os.environ["DC3_GPU_DEADLINE"])).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
