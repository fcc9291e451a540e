"""A worker: runs trials until the study has enough of them, together with any number of other workers."""

import time
from collections.abc import Callable

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.trial import FrozenTrial, TrialState

from data.errors import InputError
from training.loop.fit import NonFiniteError
from tuning.objective import STARTED
from tuning.storage import allow_experimental

POLL_S = 1.0
FAILURES = 5
"""Diverged trainings in a row after which a worker gives up."""
_LIVE = (TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE)

Run = Callable[[optuna.Trial], tuple[float, float]]


class SurplusError(Exception):
    """Two workers took the last place at the same time: the later trial steps back."""


def work(study: optuna.Study, run: Run, n_trials: int, grace_s: float, on_trial: Callable[[FrozenTrial], None]) -> None:
    """Runs trials until `n_trials` of the study, by all its workers, are complete.

    Failed trials do not count; a killed worker's trial is run again, at the latest `grace_s` after its death.

    Args:
        on_trial: gets each trial that this worker finished or failed.

    Raises:
        InputError: several trainings in a row diverged.
    """
    errors: list[str] = []
    absent: dict[int, float] = {}
    while _count(study, TrialState.COMPLETE) < n_trials:
        _fail_dead_trials(study, grace_s, absent)
        if _count(study, TrialState.COMPLETE, TrialState.RUNNING) >= n_trials:
            time.sleep(POLL_S)
            continue
        trial = _run_one(study, run, n_trials)
        if trial is None:
            continue
        on_trial(trial)
        error = trial.user_attrs.get("error")
        errors = [*errors, error] if error else []
        if len(errors) == FAILURES:
            raise InputError(f"{FAILURES} trainings in a row diverged; the last: {error}")


def _run_one(study: optuna.Study, run: Run, n_trials: int) -> FrozenTrial | None:
    """Runs the next trial and returns it, complete or diverged; None when it was another worker's in the end."""
    finished: list[FrozenTrial] = []
    lost = False

    def take_place(trial: optuna.Trial) -> tuple[float, float]:
        nonlocal lost
        _step_back(study, trial, n_trials)
        _show_life(study, trial)
        try:
            values = run(trial)
        except KeyboardInterrupt:
            if trial.params:
                study.enqueue_trial(trial.params, user_attrs={"interrupted": trial.number})
            raise
        except UpdateFinishedTrialError:
            lost = True
            raise
        lost = study.get_trials(deepcopy=False)[trial.number].state is not TrialState.RUNNING
        return values

    def keep(_: optuna.Study, trial: FrozenTrial) -> None:
        finished.append(trial)

    try:
        study.optimize(take_place, n_trials=1, catch=(NonFiniteError, SurplusError), callbacks=[keep])
    except (ValueError, AssertionError):
        # This machine slept, or the store was out of reach: the others took us for dead and run our trial again.
        # Optuna 5.0.0 then raises the one for an objective that failed and the other for one that returned.
        if not lost:
            raise
    return finished[0] if finished and _has_begun(finished[0]) else None


def _show_life(study: optuna.Study, trial: optuna.Trial) -> None:
    """Writes the first heartbeat, before the trial may say that it has begun.

    Optuna's comes from a thread, on a crowded machine seconds later: a trial that has begun and whose worker is killed
    before it would run for ever, and all others would wait for it.
    """
    storage = study._storage
    assert isinstance(storage, BaseHeartbeat), "storages are opened with heartbeats"
    storage.record_heartbeat(trial._trial_id)


def _count(study: optuna.Study, *states: TrialState) -> int:
    return len(study.get_trials(deepcopy=False, states=states))


def _has_begun(trial: FrozenTrial) -> bool:
    return bool(trial.user_attrs.get(STARTED) == trial.number)


def _step_back(study: optuna.Study, trial: optuna.Trial, n_trials: int) -> None:
    """Raises SurplusError when `n_trials` live trials have lower numbers.

    Numbers are given once and rise, so of any set of live trials the same `n_trials` stay, whoever asks first.
    """
    earlier = sum(other.number < trial.number for other in study.get_trials(deepcopy=False, states=_LIVE))
    if earlier >= n_trials:
        raise SurplusError(f"Trial {trial.number} is not needed: {earlier} others are done or under way.")


def _fail_dead_trials(study: optuna.Study, grace_s: float, absent: dict[int, float]) -> None:
    """Fails trials whose worker was killed; those with a heartbeat are queued again by the storage's callback.

    A worker killed before its first heartbeat leaves a trial that Optuna never calls stale: it is failed when it has
    not begun `grace_s` after it was first seen. `absent` holds when that was; clocks of other machines do not count.
    """
    with allow_experimental():
        optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _has_begun(trial):
            continue
        if time.monotonic() - absent.setdefault(trial.number, time.monotonic()) > grace_s:
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
