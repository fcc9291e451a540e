"""An embedded store that was moved, renamed or copied: MLflow keeps absolute addresses, which are put right here.

MLflow 3.17 has no call for it. Without it the files of all runs are missed after a move, and new ones go to the folder
of before.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

_WAIT_S = 60
_ADDRESSES = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def adopt_artifacts(database: Path, home: Path) -> None:
    """Lets whatever lies in the folder `home` beside the database be found there, and new runs be written there.

    An address is changed only where the folder that it would then name is there; an experiment's, where the folder of
    before is gone, is another store's, or its runs are here. A database that cannot be read is left to MLflow's words.
    """
    if not database.is_file() or not database.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(database, timeout=_WAIT_S)) as connection, connection:
            for table, column in _ADDRESSES:
                _adopt_rows(connection, table, column, home)
            _adopt_experiments(connection, database.name, home)
    except sqlite3.DatabaseError:  # of an older MLflow, empty, or none
        return


def _adopt_rows(connection: sqlite3.Connection, table: str, column: str, home: Path) -> None:
    for row, path in _list_elsewhere(connection, table, column, home):
        # below the experiment's folder lie RUN/artifacts and models/MODEL/artifacts
        ends = [PurePosixPath(*path.parts[-length:]) for length in (2, 3) if len(path.parts) > length]
        found = next((home / end for end in ends if (home / end).is_dir()), None)
        if found:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (found.as_uri(), row))


def _adopt_experiments(connection: sqlite3.Connection, database: str, home: Path) -> None:
    # as older versions wrote it: not quoted, so that # ? % lead elsewhere
    change = "UPDATE experiments SET artifact_location = ? WHERE "
    connection.execute(change + "artifact_location = ?", (home.as_uri(), f"file:{home}"))
    for row, path in _list_elsewhere(connection, "experiments", "artifact_location", home):
        if path.name != home.name:
            continue  # not a folder that dc3 chose
        if not path.is_dir() or path.with_name(database).is_file() or _has_runs(connection, row, home):
            connection.execute(change + "rowid = ?", (home.as_uri(), row))


def _has_runs(connection: sqlite3.Connection, experiment: int, home: Path) -> bool:
    rows = connection.execute(
        "SELECT runs.artifact_uri FROM runs JOIN experiments USING (experiment_id) WHERE experiments.rowid = ?",
        (experiment,),
    )
    return any(home in (_to_path(address or "") or Path()).parents for (address,) in rows)


def _list_elsewhere(connection: sqlite3.Connection, table: str, column: str, home: Path) -> Iterator[tuple[int, Path]]:
    """Row number and path of each local address outside `home`."""
    rows = connection.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
    for row, address in rows:
        path = _to_path(address)
        if path and home != path and home not in path.parents:
            yield row, path


def _to_path(address: str) -> Path | None:
    """The folder that a local address means; None for one of a server or a bucket."""
    if address.startswith("/"):
        return Path(address)
    if address.startswith("file:"):
        return Path(unquote(urlsplit(address).path))
    return None
