"""The embedded store lies in its folder, whatever that is called and wherever it is moved."""

import shutil
from pathlib import Path

import mlflow
import pytest

from data.errors import InputError
from tests.stores import forget_mlflow
from training import track
from training.track.connection import check_driver, sqlite_address


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a new process whose store is `folder`: MLflow keeps the last address in the environment."""
    forget_mlflow(monkeypatch)
    monkeypatch.setenv("DC3_STORE", str(folder))
    track.connect()


def record(name: str) -> str:
    """A finished run with one file."""
    with track.open_run(name, tags={"dc3.kind": "train"}) as run_id:
        mlflow.log_param("steps", 1)
        mlflow.log_text(name, "note.txt")
    return run_id


@pytest.mark.parametrize("name", ["a#b", "a?b=c", "50%", "a%20b", "a b", "größe"])
def test_everything_lands_in_the_store_s_own_folder(
    name: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    shutil.move(store, lab / name)
    enter(lab / name, monkeypatch)
    run_id = record("mine")
    assert (lab / name / "artifacts" / run_id / "artifacts" / "note.txt").read_text() == "mine"
    assert track.fetch_file(run_id, "note.txt").read_text() == "mine"
    assert track.has_file(run_id, "note.txt")
    assert [path.name for path in lab.iterdir()] == [name]
    assert {path.name for path in (lab / name).iterdir()} == {"mlflow.db", "artifacts"}


def test_a_plain_path_keeps_its_plain_address() -> None:
    assert sqlite_address(Path("/srv/my store/mlflow.db")) == "sqlite:////srv/my store/mlflow.db"


@pytest.mark.parametrize("stays", [False, True])
def test_a_moved_or_copied_store_has_its_runs_and_never_writes_to_the_former_folder(
    stays: bool, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track.connect()
    old = record("before")
    moved = tmp_path / "moved"
    shutil.copytree(store, moved)
    if stays:
        (store / "artifacts" / old / "artifacts" / "note.txt").write_text("of the other store")
    else:
        shutil.rmtree(store)
    enter(moved, monkeypatch)
    assert track.fetch_file(old, "note.txt").read_text() == "before"
    new = record("after")
    assert (moved / "artifacts" / new / "artifacts" / "note.txt").is_file()
    assert store.exists() == stays
    assert not (store / "artifacts" / new).exists()


def test_a_database_moved_alone_names_where_its_files_are_missed(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track.connect()
    run_id = record("before")
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.move(store / "mlflow.db", moved)
    enter(moved, monkeypatch)
    assert track.fetch_file(run_id, "note.txt").read_text() == "before", "its files are still where they were"
    shutil.move(store / "artifacts", tmp_path / "elsewhere")
    with pytest.raises(InputError, match="Was the store moved without them") as refused:
        track.load_config(run_id)
    assert str(store / "artifacts") in str(refused.value)
    assert str(moved / "artifacts" / run_id) in str(refused.value)
    assert "--resume" not in str(refused.value)
    shutil.move(tmp_path / "elsewhere", moved / "artifacts")
    assert track.fetch_file(run_id, "note.txt").read_text() == "before"


def test_a_file_that_is_missing_tells_why(store: Path) -> None:
    track.connect()
    with track.open_run("begun", tags={"dc3.kind": "train"}) as begun, pytest.raises(InputError, match="train anew"):
        track.load_config(begun)
    with track.open_run("table", tags={"dc3.kind": "compare", "dc3.best_run": "abc"}) as table:
        pass
    with pytest.raises(InputError, match=r"no training but a compare: name one of the runs below it, as abc\."):
        track.fetch_file(table, "predictions.parquet")
    with pytest.raises(InputError, match="is finished, but its predictions"):
        track.fetch_file(record("whole"), "predictions.parquet")


def test_a_finished_run_is_not_gone_on_with(store: Path) -> None:
    track.connect()
    with pytest.raises(InputError, match=r"is finished and is never written again: --repeat"):
        track.check_unfinished(record("done"), "train")


def test_only_a_run_of_its_kind_is_gone_on_with(store: Path) -> None:
    track.connect()
    with track.open_run("begun", tags={"dc3.kind": "train"}) as run_id:
        track.check_unfinished(run_id, "train")
        with pytest.raises(InputError, match=f"Run {run_id} is no compare but a train"):
            track.check_unfinished(run_id, "compare")
        assert track.name_of(run_id) == "begun"


def test_an_empty_name_of_the_store_names_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DC3_STORE", "")
    assert track.store() == tmp_path / "mlruns"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mysql://me:secret@h/db", r"mysql://me:\*\*\*@h/db cannot be opened: .* MySQLdb, .*pip install mysqlclient"),
        ("mssql+pyodbc://me:secret@h/db", "module pyodbc, is not installed; pip install pyodbc"),
        ("oracle+oracledb://h/db", "pip install oracledb"),
    ],
)
def test_a_database_without_its_driver_is_named_with_the_remedy(
    address: str, message: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    mlflow.set_tracking_uri(address)  # as a new process does by itself
    with pytest.raises(InputError, match=message) as refused:
        track.connect()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["sqlite:////x/y.db", "http://127.0.0.1:5000", "./mlruns", "nosuch://h/db"])
def test_addresses_that_need_no_driver_pass(address: str) -> None:
    check_driver(address)
