"""A study is started once, and joined only with the same options and data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from data.errors import InputError
from training.config import Config
from tuning.options import SpaceOptions, StudyOptions
from tuning.storage import dashboard_command, open_storage
from tuning.study import RECORD, OpenStudy, keep_test_part, open_study

OPTIONS = StudyOptions("s")


@pytest.fixture
def config(store: Path, tiny: Callable[..., Config]) -> Config:
    return keep_test_part(tiny())


def test_a_test_part_is_set_apart_unless_there_is_one() -> None:
    config = Config()
    assert keep_test_part(config).split.test == 0.2
    own = replace(config, split=replace(config.split, test=0.1))
    assert keep_test_part(own) == own


def test_a_second_worker_gets_the_record_of_the_first(config: Config) -> None:
    first = open_study(OPTIONS, config, SpaceOptions(tune_lr=True))
    second = open_study(OPTIONS, config, SpaceOptions(tune_lr=True))
    assert first.record == second.record
    assert first.study.metric_names == ["f1", "d"]
    (queued,) = second.study.trials
    assert queued.system_attrs["fixed_params"] == {
        "prior": 0.6,
        "inverse_ce_labelled": 10.0,
        "inverse_ce_unlabelled": 10.0,
        "ambiguity_weight": 0.1,
        "similarity_weight": 0.1,
        "lr": 0.03,
    }


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # of a trial that is asked for by hand
def test_workers_propose_different_points_and_the_first_by_its_seed(config: Config) -> None:
    drawn = optuna.distributions.FloatDistribution(0, 1)

    def propose(opened: OpenStudy) -> float:
        with pytest.warns(UserWarning, match="Heartbeat"):  # of a trial that nobody runs
            return float(opened.study.ask({"drawn": drawn}).params["drawn"])

    creator, *joined = (open_study(OPTIONS, config, SpaceOptions()) for _ in range(3))
    points = [propose(opened) for opened in (creator, *joined)]
    assert len(set(points)) == 3
    assert propose(open_study(StudyOptions("again"), config, SpaceOptions())) == points[0]


def test_f1_is_to_be_high_and_d_low(config: Config) -> None:
    study = open_study(OPTIONS, config, SpaceOptions()).study
    assert dict(zip(study.metric_names or [], study.directions, strict=True)) == {
        "f1": optuna.study.StudyDirection.MAXIMIZE,
        "d": optuna.study.StudyDirection.MINIMIZE,
    }


def test_a_joining_worker_reads_the_data_where_its_own_machine_has_them(config: Config) -> None:
    open_study(OPTIONS, config, SpaceOptions())
    elsewhere = replace(config, data=replace(config.data, images="/elsewhere/images", votes="/elsewhere/votes.csv"))
    assert open_study(OPTIONS, elsewhere, SpaceOptions()).record.config == elsewhere


def test_another_configuration_is_refused_with_both_values(config: Config) -> None:
    open_study(OPTIONS, config, SpaceOptions())
    other = replace(config, loop=replace(config.loop, steps=5))
    with pytest.raises(InputError, match=r"steps = 4, not 5; tune_lr = False, not True.*another name with --study"):
        open_study(OPTIONS, other, SpaceOptions(tune_lr=True))


def test_the_device_is_each_workers_own(config: Config) -> None:
    open_study(OPTIONS, config, SpaceOptions())
    elsewhere = replace(config, runtime=replace(config.runtime, device="auto"))
    assert open_study(OPTIONS, elsewhere, SpaceOptions()).record.config == elsewhere


def test_other_data_are_refused(config: Config) -> None:
    study = open_study(OPTIONS, config, SpaceOptions()).study
    study.set_user_attr(RECORD, study.user_attrs[RECORD] | {"fingerprint": "of other images"})
    with pytest.raises(InputError, match="fingerprint of other images"):
        open_study(OPTIONS, config, SpaceOptions())


def test_a_study_of_another_program_is_refused(config: Config) -> None:
    study = optuna.create_study(study_name="s", storage=open_storage(OPTIONS), directions=["maximize", "minimize"])
    study.add_trial(optuna.create_trial(values=[1, 0]))
    with pytest.raises(InputError, match="not started by `dc3 tune`"):
        open_study(OPTIONS, config, SpaceOptions())


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/db", "sqlite:////no/such/folder/x.db"])
def test_an_unusable_store_is_one_clear_error(store: Path, url: str) -> None:
    with pytest.raises(InputError, match="Optuna store cannot be opened"):
        open_storage(StudyOptions("s", url))


def test_a_grace_below_the_heartbeat_is_refused(store: Path) -> None:
    with pytest.raises(InputError, match="--heartbeat 60 must be above 0 and below --grace 60"):
        open_storage(StudyOptions("s", heartbeat=60, grace=60))


def test_a_name_that_is_no_file_name_is_refused(config: Config) -> None:
    with pytest.raises(InputError, match=r"--study '\.\./x'"):
        open_study(StudyOptions("../x"), config, SpaceOptions())


def test_the_dashboard_command_shows_no_password(store: Path) -> None:
    shown = dashboard_command(StudyOptions("s", "postgresql+psycopg://me:secret@host/db"))
    assert "secret" not in shown
    assert "postgresql+psycopg://me:***@host/db" in shown
