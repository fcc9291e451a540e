"""The point to use: the trial with most right proposals on validation, or with the lowest d - F1."""

from collections.abc import Mapping

import optuna
from optuna.trial import FrozenTrial, TrialState

from data.errors import InputError, name_some
from training import track
from training.evaluate.choice import is_choosable, merit
from training.options import By


def d_minus_f1(trial: FrozenTrial) -> float:
    """The paper's measure of a run, lower is better; objectives are (f1, d)."""
    f1, d = trial.values
    return float(d - f1)


def is_feasible(trial: FrozenTrial) -> bool:
    """Whether the trial is not degenerate; one without a constraint never finished its objective."""
    return bool(trial.constraints) and all(value <= 0 for value in trial.constraints.values())


def figures_of(trial: FrozenTrial) -> Mapping[str, float]:
    """A trial's figures on validation; of one from before `proposals_right` with what its run's predictions give."""
    recorded = trial.user_attrs.get("metrics", {})
    figures = {"d_minus_f1": d_minus_f1(trial), "degenerate": float(not is_feasible(trial))} | recorded
    if "proposals_right" in figures:
        return figures
    try:
        return track.find_figures(trial.user_attrs["run_id"]) | figures
    except (InputError, KeyError):
        return figures


def rank_trials(study: optuna.Study, by: By = "proposals_right") -> list[FrozenTrial]:
    """The complete trials that can be chosen, best first; of equals the earlier one."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    figures = {trial.number: figures_of(trial) for trial in complete if trial.constraints}
    choosable = [trial for trial in complete if trial.number in figures and is_choosable(figures[trial.number], by)]
    return sorted(choosable, key=lambda trial: -merit(figures[trial.number], by))


def pareto_front(study: optuna.Study) -> set[int]:
    """Numbers of the trials, not degenerate, that no other beats in both F1 and d."""
    return {trial.number for trial in study.best_trials if is_feasible(trial)}


def choose_trial(study: optuna.Study, number: int | None = None, by: By = "proposals_right") -> FrozenTrial:
    """The best trial, or the one of that number; raises InputError where there is none to use."""
    ranked = rank_trials(study, by)
    if not ranked:
        n_complete = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        reason = (
            "all are degenerate (no more than 10 % predicted ambiguous, or certain)"
            if by == "d_minus_f1"
            else "none has a share of right proposals; choose by --by d_minus_f1"
        )
        raise InputError(
            f"None of the {n_complete} complete trials of study {study.study_name} can be used: {reason}. "
            "Raise --steps under another --study, or add --trials."
        )
    if number is None:
        return ranked[0]
    found = [trial for trial in ranked if trial.number == number]
    if not found:
        known = name_some([trial.number for trial in ranked])
        raise InputError(f"{_unusable(study, number, by)} --choose takes one of {known} (best first).")
    return found[0]


def _unusable(study: optuna.Study, number: int, by: By) -> str:
    for trial in study.get_trials(deepcopy=False):
        if trial.number == number:
            lacks = "is degenerate" if by == "d_minus_f1" else f"has no {by}"
            reason = lacks if trial.state is TrialState.COMPLETE else f"is {trial.state.name.lower()}"
            return f"Trial {number} of study {study.study_name} {reason}."
    return f"Study {study.study_name} has no trial {number}."
