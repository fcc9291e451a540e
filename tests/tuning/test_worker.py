"""The loop of a worker, on a real SQLite store with objectives that train nothing."""

import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages._heartbeat import HeartbeatThread
from optuna.trial import FrozenTrial, TrialState

from data.errors import InputError
from tests.threads import join_threads, start_thread
from training.loop.fit import NonFiniteError
from tuning import worker
from tuning.objective import STARTED
from tuning.options import StudyOptions
from tuning.storage import open_storage
from tuning.worker import FAILURES, SurplusError, _step_back, work


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyOptions:
    monkeypatch.setattr(worker, "POLL_S", 0.02)
    return StudyOptions("s", f"sqlite:///{tmp_path}/optuna.db", heartbeat=1, grace=30)


def open_study(options: StudyOptions) -> optuna.Study:
    return optuna.create_study(
        study_name="s", storage=open_storage(options), directions=["maximize", "minimize"], load_if_exists=True
    )


def run(trial: optuna.Trial) -> tuple[float, float]:
    trial.set_user_attr(STARTED, trial.number)
    trial.suggest_float("prior", 0, 1)
    time.sleep(0.02)
    return 1.0, 0.0


def ignore(trial: FrozenTrial) -> None: ...


def states(study: optuna.Study) -> list[TrialState]:
    return [trial.state for trial in study.trials]


def work_together(options: StudyOptions, n_workers: int, n_trials: int) -> None:
    """Lets workers begin at the same moment; an error in one of them is a warning of pytest, so a failure."""
    start = threading.Barrier(n_workers, timeout=60)

    def body() -> None:
        own = open_study(options)
        start.wait()
        work(own, run, n_trials, options.grace, ignore)

    threads = [start_thread(body) for _ in range(n_workers)]
    join_threads(*threads, waits_for=lambda: states(open_study(options)), limit_s=120)


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of a trial that is asked for by hand
@pytest.mark.parametrize(("n_trials", "goes_on"), [(3, False), (4, True)])
def test_a_trial_steps_back_when_as_many_as_asked_for_came_before(
    options: StudyOptions, n_trials: int, goes_on: bool
) -> None:
    """Those that wait, run or are complete count, a failed one does not."""
    study = open_study(options)
    before = (TrialState.WAITING, TrialState.FAIL, TrialState.COMPLETE, TrialState.RUNNING, TrialState.RUNNING)
    for state in before:
        study.add_trial(optuna.create_trial(state=state, values=[1.0, 0.0] if state is TrialState.COMPLETE else None))
    ours = optuna.Trial(study, study.get_trials()[-1]._trial_id)
    assert ours.number == 4
    with nullcontext() if goes_on else pytest.raises(SurplusError, match="Trial 4 is not needed: 3 others"):
        _step_back(study, ours, n_trials)


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of a trial that is asked for by hand
def test_no_more_are_begun_than_are_asked_for(options: StudyOptions) -> None:
    """One is done, one under way elsewhere: of two wanted, this worker begins none."""
    study, begun = open_study(options), []
    study.add_trial(optuna.create_trial(values=[1.0, 0.0]))
    study.add_trial(optuna.create_trial(state=TrialState.RUNNING, user_attrs={STARTED: 1}))

    def end_soon() -> None:
        time.sleep(0.2)
        study.tell(1, [1.0, 0.0])

    thread = start_thread(end_soon)
    work(open_study(options), run, 2, options.grace, begun.append)
    join_threads(thread, waits_for=lambda: states(study))
    assert begun == []
    assert states(study) == [TrialState.COMPLETE] * 2


def test_failures_count_only_in_a_row(options: StudyOptions) -> None:
    study = open_study(options)

    def diverge_mostly(trial: optuna.Trial) -> tuple[float, float]:
        values = run(trial)
        if trial.number % FAILURES == FAILURES - 1:
            return values
        trial.set_user_attr("error", "Step 1: ssl is nan")
        raise NonFiniteError("Step 1: ssl is nan")

    work(study, diverge_mostly, 2, options.grace, ignore)
    assert states(study).count(TrialState.FAIL) == 2 * (FAILURES - 1)


def test_workers_that_begin_together_complete_exactly_the_trials_asked_for(options: StudyOptions) -> None:
    study = open_study(options)
    work_together(options, n_workers=6, n_trials=3)
    assert states(study).count(TrialState.COMPLETE) == 3
    assert states(study).count(TrialState.RUNNING) == 0


@pytest.mark.slow
def test_a_waiting_trial_is_taken_by_one_worker_only(options: StudyOptions) -> None:
    study = open_study(options)
    for number in range(12):
        study.enqueue_trial({"prior": number / 12})
    work_together(options, n_workers=6, n_trials=12)
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    assert [trial.params["prior"] for trial in complete] == [number / 12 for number in range(12)]


def test_a_diverged_training_does_not_end_the_study(options: StudyOptions) -> None:
    study, reported = open_study(options), []

    def diverge_first(trial: optuna.Trial) -> tuple[float, float]:
        values = run(trial)
        if trial.number == 0:
            trial.set_user_attr("error", "Step 1: ssl is nan")
            raise NonFiniteError("Step 1: ssl is nan")
        return values

    work(study, diverge_first, 2, options.grace, reported.append)
    assert states(study) == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert [trial.number for trial in reported] == [0, 1, 2]


def test_a_worker_gives_up_when_every_training_diverges(options: StudyOptions) -> None:
    study = open_study(options)

    def diverge(trial: optuna.Trial) -> tuple[float, float]:
        run(trial)
        trial.set_user_attr("error", "Step 1: ssl is nan")
        raise NonFiniteError

    with pytest.raises(InputError, match="5 trainings in a row diverged; the last: Step 1: ssl is nan"):
        work(study, diverge, 2, options.grace, ignore)
    assert len(study.trials) == FAILURES


def test_an_interrupted_trial_runs_again_with_its_values(options: StudyOptions) -> None:
    study = open_study(options)

    def interrupt(trial: optuna.Trial) -> tuple[float, float]:
        run(trial)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(study, interrupt, 1, options.grace, ignore)
    work(study, run, 1, options.grace, ignore)
    first, second = study.trials
    assert (first.state, second.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert first.params == second.params


def test_a_trial_whose_worker_died_before_it_began_blocks_nobody(options: StudyOptions) -> None:
    study = open_study(options)
    study.add_trial(optuna.create_trial(state=TrialState.RUNNING))
    work(study, run, 1, 0.1, ignore)
    assert states(study) == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_worker_killed_before_optunas_first_heartbeat_blocks_nobody(
    options: StudyOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that writes it may come late on a crowded machine: here it never does."""
    options = replace(options, grace=2)
    study = open_study(options)

    def die(trial: optuna.Trial) -> tuple[float, float]:
        run(trial)
        raise SystemExit

    with monkeypatch.context() as late:
        late.setattr(HeartbeatThread, "_record_heartbeat", lambda *_: None)
        with pytest.raises(SystemExit):
            work(study, die, 1, options.grace, ignore)
    assert states(study) == [TrialState.RUNNING]
    other = start_thread(lambda: work(open_study(options), run, 1, options.grace, ignore))
    join_threads(other, waits_for=lambda: states(study))
    assert states(study) == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_worker_that_was_taken_for_dead_goes_on(options: StudyOptions) -> None:
    study = open_study(options)

    def sleep_through_first(trial: optuna.Trial) -> tuple[float, float]:
        values = run(trial)
        if trial.number == 0:
            open_study(options).tell(0, state=TrialState.FAIL)
        return values

    work(study, sleep_through_first, 1, options.grace, ignore)
    assert states(study) == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_fault_of_the_input_ends_the_worker(options: StudyOptions) -> None:
    def refuse(trial: optuna.Trial) -> tuple[float, float]:
        raise InputError("no such folder")

    with pytest.raises(InputError, match="no such folder"):
        work(open_study(options), refuse, 1, options.grace, ignore)
