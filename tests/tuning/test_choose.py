"""The chosen point and its preset file."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from data.errors import InputError
from training.config import Config, load_preset
from tuning.choose import choose_trial, pareto_front, rank_trials
from tuning.objective import degeneracy
from tuning.options import SpaceOptions
from tuning.preset import write_preset
from tuning.space import apply_params
from tuning.study import Record, keep_test_part


def study_of(*trials: tuple[float, float, float | None], right: tuple[float, ...] = ()) -> optuna.Study:
    """Complete trials of (f1, d, constraint), in memory; `right` is their share of right proposals."""
    study = optuna.create_study(study_name="s", directions=["maximize", "minimize"])
    for number, (f1, d, violation) in enumerate(trials):
        constraints = None if violation is None else {"degenerate": violation}
        figures = {"proposals_right": right[number] if right else 0.5}
        attributes = {"run_id": "r", "metrics": figures}
        study.add_trial(optuna.create_trial(values=[f1, d], constraints=constraints, user_attrs=attributes))
    return study


def test_most_right_proposals_are_chosen_whatever_tiny_clusters_do_to_d() -> None:
    """The first has d - F1 -0.8 by clusters of one image each, and is right on 16 %."""
    study = study_of((0.9, 0.1, -0.1), (0.8, 0.6, -0.1), (0.7, 0.6, -0.1), right=(0.16, 0.41, 0.41))
    assert choose_trial(study).number == 1
    assert [trial.number for trial in rank_trials(study)] == [1, 2, 0], "of equals the earlier one"
    assert choose_trial(study, by="d_minus_f1").number == 0


def test_a_degenerate_trial_wins_only_by_being_right_more_often() -> None:
    study = study_of((1.0, 0.0, 1e-6), (0.5, 0.5, -0.2), right=(0.3, 0.4))
    assert choose_trial(study).number == 1
    assert choose_trial(study_of((1.0, 0.0, 1e-6), (0.5, 0.5, -0.2), right=(0.5, 0.4))).number == 0


def test_a_trial_of_before_takes_its_figure_from_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of((0.9, 0.4, 0.0), (0.8, 0.2, 0.0), right=(0.3, 0.4))
    study.add_trial(
        optuna.create_trial(values=[0.7, 0.6], constraints={"degenerate": 0.0}, user_attrs={"run_id": "old"})
    )
    monkeypatch.setattr("training.track.find_figures", lambda run_id: {"proposals_right": {"old": 0.5}[run_id]})
    assert choose_trial(study).number == 2


def test_a_trial_whose_figure_is_lost_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(run_id: str) -> dict[str, float]:
        raise InputError(f"No run {run_id}")

    monkeypatch.setattr("training.track.find_figures", miss)
    study = optuna.create_study(study_name="s", directions=["maximize", "minimize"])
    study.add_trial(
        optuna.create_trial(values=[0.7, 0.6], constraints={"degenerate": 0.0}, user_attrs={"run_id": "gone"})
    )
    with pytest.raises(InputError, match=r"none has a share of right proposals; choose by --by d_minus_f1"):
        choose_trial(study)
    assert choose_trial(study, by="d_minus_f1").number == 0


def test_the_lowest_d_minus_f1_is_chosen_where_asked_for() -> None:
    study = study_of((0.9, 0.4, -0.1), (0.8, 0.2, 0.0), (0.95, 0.6, -0.3))
    assert choose_trial(study, by="d_minus_f1").number == 1
    assert [trial.number for trial in rank_trials(study, "d_minus_f1")] == [1, 0, 2]
    assert pareto_front(study) == {0, 1, 2}


def test_a_degenerate_trial_is_never_chosen_by_d_minus_f1() -> None:
    study = study_of((1.0, 0.0, 1e-6), (0.5, 0.5, -0.2))
    assert choose_trial(study, by="d_minus_f1").number == 1
    assert pareto_front(study) == {1}
    with pytest.raises(InputError, match=r"Trial 0 of study s is degenerate. --choose takes one of 1"):
        choose_trial(study, 0, "d_minus_f1")


def test_a_trial_without_a_constraint_is_not_ours_to_choose() -> None:
    assert choose_trial(study_of((1.0, 0.0, None), (0.5, 0.5, -0.2), right=(0.9, 0.1))).number == 1


def test_any_trial_can_be_chosen_by_number() -> None:
    assert choose_trial(study_of((0.9, 0.4, 0.0), (0.8, 0.2, 0.0), right=(0.1, 0.9)), 0).number == 0


def test_an_unknown_number_is_answered_with_the_known_ones() -> None:
    study = study_of((0.9, 0.4, 0.0), (0.8, 0.2, 0.0), right=(0.1, 0.9))
    study.add_trial(optuna.create_trial(state=TrialState.FAIL))
    with pytest.raises(InputError, match=r"no trial 7. --choose takes one of 1, 0"):
        choose_trial(study, 7)
    with pytest.raises(InputError, match=r"Trial 2 of study s is fail"):
        choose_trial(study, 2)


def test_a_study_of_degenerate_trials_says_so() -> None:
    with pytest.raises(InputError, match=r"None of the 1 complete trials of study s.*degenerate"):
        choose_trial(study_of((1.0, 0.0, 0.1)), by="d_minus_f1")


@pytest.mark.parametrize(
    ("share", "degenerate", "low", "high"),
    [
        (0.05, 1.0, 0.04, 0.06),
        (0.1, 1.0, 1e-9, 0.01),
        (0.6, 0.0, -0.31, -0.29),
        (1.0, 1.0, 0.09, 0.11),
        (0.0, 0.0, 0, 0),
    ],
)
def test_the_constraint_is_violated_exactly_when_degenerate(
    share: float, degenerate: float, low: float, high: float
) -> None:
    assert low <= degeneracy({"ambiguous_share": share, "degenerate": degenerate}) <= high


def test_the_preset_holds_the_configuration_of_the_trial(tmp_path: Path) -> None:
    config = replace(keep_test_part(Config()), variant="cc")
    study = study_of((0.9, 0.4, 0.0))
    trial = study.trials[0]
    trial.params = {"prior": 0.123456789012345, "lr": 0.05, "method": "fixmatch"}
    path = tmp_path / "deep" / "tuned.toml"
    write_preset(path, "s", Record(config, SpaceOptions(), "parent", "data"), trial)
    loaded = load_preset(str(path))
    assert loaded == apply_params(config, trial.params)
    assert (loaded.split.test, loaded.method, loaded.dc3.prior) == (0.2, "fixmatch", 0.123456789012345)
    assert path.read_text().startswith(
        f"# dc3 train --preset {path}\n# Trial 0 of study s, MLflow run r\n"
        "# On validation: right proposals 0.5000, F1 0.9000"
    )
    assert [file.name for file in path.parent.iterdir()] == ["tuned.toml"]


def test_a_preset_needs_its_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.toml"):
        write_preset(tmp_path / "x", "s", Record(Config(), SpaceOptions(), "", ""), study_of((1, 0, 0)).trials[0])
