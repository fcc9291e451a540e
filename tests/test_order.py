"""Long files begin first, on one worker each; what is dear is made once."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.order import LONGEST, TOGETHER, sort_by_length, unit
from tests.shared import make_once

ROOT = Path(__file__).parents[1]


class Test(NamedTuple):
    """As much of pytest's item as is asked for."""

    __test__ = False
    nodeid: str
    is_slow: bool = False

    def get_closest_marker(self, name: str) -> bool:
        return self.is_slow and name == "slow"


def test_the_longest_begin_then_slow_ones_then_the_rest_and_a_unit_keeps_its_order() -> None:
    folder = TOGETHER[0]
    names = ["tests/a.py::x", "tests/b.py::y", "tests/b.py::x", f"{folder}/test_b.py::x", f"{folder}/test_a.py::y"]
    items = [Test(name, name == "tests/b.py::x") for name in [*names, f"{LONGEST[0]}::x"]]
    sort_by_length(items)  # type: ignore[arg-type]
    found = [item.nodeid for item in items]
    assert found == [f"{LONGEST[0]}::x", *names[3:], "tests/b.py::y", "tests/b.py::x", "tests/a.py::x"]


def test_a_folder_that_shares_a_server_is_one_unit() -> None:
    assert unit(f"{TOGETHER[0]}/test_pull.py::test_x[a::b]") == TOGETHER[0]
    assert unit("tests/test_readme.py::test_x[a::b]") == "tests/test_readme.py"


def test_all_that_is_named_exists() -> None:
    assert [name for name in (*LONGEST, *TOGETHER) if not (ROOT / name).exists()] == []


def test_what_is_dear_is_made_once_and_tried_anew_where_it_failed(tmp_path_factory: pytest.TempPathFactory) -> None:
    name, made = f"dear {tmp_path_factory.mktemp('x').name}", []

    def make(folder: Path) -> None:
        made.append(folder)
        if len(made) == 1:
            raise OSError("disk full")
        (folder / "file").touch()

    with pytest.raises(OSError, match="disk full"):
        make_once(tmp_path_factory, name, make)
    first, second = (make_once(tmp_path_factory, name, make) for _ in range(2))
    assert first == second == made[1]
    assert (first / "file").exists()
    assert len(made) == 2
