"""The point to use: the trial that is not degenerate and has the lowest d - F1 on validation."""

import optuna
from optuna.trial import FrozenTrial, TrialState

from data.errors import InputError, name_some


def d_minus_f1(trial: FrozenTrial) -> float:
    """The paper's measure of a run, lower is better; objectives are (f1, d)."""
    f1, d = trial.values
    return float(d - f1)


def is_feasible(trial: FrozenTrial) -> bool:
    """Whether the trial is not degenerate; one without a constraint never finished its objective."""
    return bool(trial.constraints) and all(value <= 0 for value in trial.constraints.values())


def rank_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The complete trials that are not degenerate, best first."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(filter(is_feasible, complete), key=d_minus_f1)


def pareto_front(study: optuna.Study) -> set[int]:
    """Numbers of the trials, not degenerate, that no other beats in both F1 and d."""
    return {trial.number for trial in study.best_trials if is_feasible(trial)}


def choose_trial(study: optuna.Study, number: int | None = None) -> FrozenTrial:
    """The best trial, or the one of that number; raises InputError where there is none to use."""
    ranked = rank_trials(study)
    if not ranked:
        n_complete = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        raise InputError(
            f"None of the {n_complete} complete trials of study {study.study_name} can be used: all are degenerate "
            "(no more than 10 % predicted ambiguous, or certain). Raise --steps under another --study, or add --trials."
        )
    if number is None:
        return ranked[0]
    found = [trial for trial in ranked if trial.number == number]
    if not found:
        known = name_some([trial.number for trial in ranked])
        raise InputError(f"{_unusable(study, number)} --choose takes one of {known} (best first).")
    return found[0]


def _unusable(study: optuna.Study, number: int) -> str:
    for trial in study.get_trials(deepcopy=False):
        if trial.number == number:
            reason = "is degenerate" if trial.state is TrialState.COMPLETE else f"is {trial.state.name.lower()}"
            return f"Trial {number} of study {study.study_name} {reason}."
    return f"Study {study.study_name} has no trial {number}."
