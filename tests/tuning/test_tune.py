"""`dc3 tune` on real trainings, alone, with other workers, and when they are killed."""

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna.trial import TrialState
from optuna_dashboard import get_note

from data.errors import InputError
from dc3.tune import main
from training import track
from training.config import load_preset
from training.train import train
from tuning.objective import STARTED
from tuning.options import StudyOptions
from tuning.storage import storage_url
from tuning.study import RECORD

pytestmark = pytest.mark.slow

Start = Callable[..., subprocess.Popen[str]]


def load_study(options: StudyOptions = StudyOptions()) -> optuna.Study:  # noqa: B008
    return optuna.load_study(study_name="s", storage=storage_url(options))


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.trials]


def wait_for_running_trial(worker: subprocess.Popen[str]) -> None:
    assert worker.stdout is not None
    # its second line: the study exists
    assert any(line.startswith("study") for line in (worker.stdout.readline(), worker.stdout.readline()))
    study, end = load_study(), time.monotonic() + 120
    while time.monotonic() < end:
        if any(
            STARTED in trial.user_attrs and len(trial.params) == 5
            for trial in study.get_trials(states=(TrialState.RUNNING,))
        ):
            return
        time.sleep(0.02)
    raise AssertionError("no trial began within two minutes")


def test_a_study_ends_in_a_preset_that_trains_to_the_same_figures(
    store: Path, tiny_options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*tiny_options, "--trials", "2"]) == 0
    printed = capsys.readouterr().out
    study = load_study()
    assert states(study) == ["COMPLETE", "COMPLETE"]
    assert study.trials[0].params["prior"] == 0.6
    parent = study.user_attrs[RECORD]["run_id"]
    for trial in study.trials:
        run = track.find_run(trial.user_attrs["run_id"])
        assert run.data.tags["mlflow.parentRunId"] == parent
        assert run.data.tags["dc3.trial"] == str(trial.number)
        assert (run.data.metrics["f1"], run.data.metrics["d"]) == tuple(trial.values)
        # the search and whoever watches it must not see the test part
        assert "test_f1" in run.data.metrics
        assert "test_" not in str(trial.user_attrs) + get_note(trial_of(study, trial.number))
        pictures = [meta.filename for meta in get_all_artifact_meta(trial, storage=study._storage)]
        assert sorted(pictures) == ["ambiguity_histogram.png", "clusters.png"]
    path = store / "presets" / "s.toml"
    chosen = max(study.trials, key=lambda t: t.user_attrs["metrics"]["proposals_right"])
    assert f"chosen       trial {chosen.number}" in printed
    assert f"dc3 train --preset {path}" in printed
    result = train(load_preset(str(path)), show_progress=False, with_report=False)
    right, f1 = result.metrics["test_proposals_right"], result.metrics["test_f1"]
    assert f"on test      proposals_right {right:.4f}  f1 {f1:.4f}" in printed
    assert result.metrics["d_minus_f1"] == pytest.approx(chosen.values[1] - chosen.values[0], abs=1e-6)


def trial_of(study: optuna.Study, number: int) -> optuna.Trial:
    return optuna.Trial(study, study.trials[number]._trial_id)


def test_a_finished_study_only_chooses_again(store: Path, tiny_options: list[str]) -> None:
    main([*tiny_options, "--trials", "1"])
    target = store / "mine.toml"
    main([*tiny_options, "--trials", "1", "--choose", "0", "--output", str(target)])
    assert states(load_study()) == ["COMPLETE"]
    assert load_preset(str(target)).split.test == 0.2
    with pytest.raises(InputError, match=r"Study s has no trial 9\. --choose takes one of 0"):
        main([*tiny_options, "--trials", "1", "--choose", "9"])


def test_trainings_that_diverge_are_named(store: Path, tiny_options: list[str]) -> None:
    with pytest.raises(InputError, match=r"5 trainings in a row diverged; the last: Step \d+: \w+ is (nan|inf)"):
        main([*tiny_options, "--trials", "1", "--lr", "100", "--weight-decay", "100", "--steps", "40"])
    trials = load_study().trials
    assert [trial.state.name for trial in trials] == ["FAIL"] * 5
    assert "The training failed: Step" in get_note(trial_of(load_study(), 0))


@pytest.mark.slow
def test_a_killed_workers_trial_is_run_again_by_another(
    store: Path, tiny_options: list[str], start_worker: Start
) -> None:
    worker = start_worker("--trials", "1")
    wait_for_running_trial(worker)
    worker.send_signal(signal.SIGKILL)
    worker.wait(60)
    assert states(load_study()) == ["RUNNING"]
    main([*tiny_options, "--trials", "1"])
    study = load_study()
    assert states(study).count("COMPLETE") == 1
    assert study.trials[0].state is TrialState.FAIL
    (retry,) = [trial for trial in study.trials if trial.system_attrs.get("failed_trial") == 0]
    assert retry.state is TrialState.COMPLETE
    assert retry.params == study.trials[0].params
    assert track.find_run(retry.user_attrs["run_id"]).info.status == "FINISHED"


@pytest.mark.slow
def test_two_workers_complete_exactly_the_trials_asked_for(
    store: Path, tiny_options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*tiny_options, "--trials", "3", "--workers", "2"]) == 0
    assert states(load_study()).count("COMPLETE") == 3
    assert "RUNNING" not in states(load_study())
    assert len(re.findall(r"^trial .* run ", capfd.readouterr().out, re.MULTILINE)) == 3


@pytest.mark.slow
def test_sigterm_stops_all_workers_and_queues_their_trials_again(store: Path, start_worker: Start) -> None:
    command = start_worker("--trials", "100", "--workers", "2")
    wait_for_running_trial(command)
    command.send_signal(signal.SIGTERM)
    output, _ = command.communicate(timeout=60)
    assert command.returncode == 130, output
    assert "the same command goes on" in output
    assert "Traceback" not in output
    after = states(load_study())
    assert "RUNNING" not in after
    assert "WAITING" in after
