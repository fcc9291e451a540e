"""The study: how its trials are proposed, and what all its workers must agree on."""

import json
import time
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from data.errors import InputError
from training import track
from training.config import Config, flatten, from_json, to_json
from training.run_data import read_data
from tuning.options import SpaceOptions, StudyOptions
from tuning.space import search_ranges, start_point
from tuning.storage import allow_experimental, open_storage, study_name

N_STARTUP = 12
"""Random trials before the sampler models the results."""
TEST_SHARE = 0.2
RECORD = "dc3"
"""The study's user attribute that holds the record."""
RECORD_WAIT_S = 60.0
_BEGUN = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.FAIL)
_LOCAL = {"device", "images", "votes"}
"""Options that each worker's machine has for itself; the fingerprint says whether the data are the same."""


class Record(NamedTuple):
    """What a study was started with, and every worker holds to."""

    config: Config
    space: SpaceOptions
    run_id: str
    """The MLflow run that the trials are nested below."""
    fingerprint: str
    """Of the data."""


class OpenStudy(NamedTuple):
    """A study, its record and the connection to its store."""

    study: optuna.Study
    record: Record
    storage: RDBStorage

    def close(self) -> None:
        """Gives the connections back; a server has only so many."""
        self.storage.remove_session()
        self.storage.engine.dispose()


def keep_test_part(config: Config) -> Config:
    """Sets a share of the images apart for the final figure, where the configuration has none."""
    return config if config.split.test else replace(config, split=replace(config.split, test=TEST_SHARE))


def open_study(options: StudyOptions, config: Config, space: SpaceOptions) -> OpenStudy:
    """Starts the study, or joins it when it is there already.

    Raises:
        InputError: the study was started with another configuration or other data, or the store cannot be used.
    """
    search_ranges(config, space)
    name, storage = study_name(options, config), open_storage(options)
    fingerprint = read_data(config)[0].fingerprint
    try:
        study = optuna.create_study(
            study_name=name,
            storage=storage,
            directions=["maximize", "minimize"],
            # the creator alone is seeded: another worker with the same seed would propose the same points
            sampler=_sampler(config.runtime.seed),
        )
    except DuplicatedStudyError:
        study = optuna.load_study(study_name=name, storage=storage, sampler=_sampler(None))
        record = _read_record(study, config)
        _check_record(name, record, Record(config, space, record.run_id, fingerprint))
        return OpenStudy(study, record, storage)
    with track.open_run(f"tune {name}", tags={"dc3.kind": "tune", "dc3.study": name}) as run_id:
        record = Record(config, space, run_id, fingerprint)
    with allow_experimental():
        study.set_metric_names(["f1", "d"])
    study.enqueue_trial(start_point(config, space))
    values = record._asdict() | {"config": to_json(config), "space": asdict(space)}
    study.set_user_attr(RECORD, values)
    return OpenStudy(study, record, storage)


def _sampler(seed: int | None) -> optuna.samplers.BaseSampler:
    with allow_experimental():
        return optuna.samplers.TPESampler(multivariate=True, n_startup_trials=N_STARTUP, seed=seed)


def _read_record(study: optuna.Study, config: Config) -> Record:
    """The study's record with this machine's own options; waits for a creator who is about to write it."""
    end = time.monotonic() + RECORD_WAIT_S
    while not (values := study.user_attrs.get(RECORD)):
        if time.monotonic() > end or study.get_trials(deepcopy=False, states=_BEGUN):
            raise InputError(f"Study {study.study_name} was not started by `dc3 tune`: take another name with --study.")
        time.sleep(0.5)
    stored = from_json(values["config"])
    stored = replace(
        stored,
        data=replace(stored.data, images=config.data.images, votes=config.data.votes),
        runtime=replace(stored.runtime, device=config.runtime.device),
    )
    return Record(stored, SpaceOptions(**values["space"]), values["run_id"], values["fingerprint"])


def _check_record(name: str, stored: Record, given: Record) -> None:
    """Raises InputError when this worker's options or data are not the study's."""
    theirs, ours = _options(stored), _options(given)
    names = [key for key in ours | theirs if ours.get(key) != theirs.get(key)]
    faults = [f"{key} = {theirs.get(key)}, not {ours.get(key)}" for key in names]
    if stored.fingerprint != given.fingerprint:
        faults.append(f"data with the fingerprint {stored.fingerprint}, not {given.fingerprint}")
    if faults:
        raise InputError(
            f"Study {name} was started with {'; '.join(faults)}. Results of both would not compare: "
            "give the same options, or another name with --study."
        )


def _options(record: Record) -> dict[str, Any]:
    flat = flatten(json.loads(to_json(record.config))) | asdict(record.space)
    return {key: value for key, value in flat.items() if key not in _LOCAL}
