"""A table that grows takes its place whole or not at all."""

from pathlib import Path

import pytest

from data.errors import InputError
from data.tables.growing import check_suffix, grow_table


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_that_breaks_off_leaves_that_of_before(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_text("of before")

    def break_off() -> None:
        with grow_table(path, {"image": str}) as write:
            write([{"image": "a"}])
            raise KeyError("image")

    with pytest.raises(KeyError):
        break_off()
    assert path.read_text() == "of before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(InputError, match="is a folder or a device; give the name of a file"):
        check_suffix(tmp_path / "t.csv")
