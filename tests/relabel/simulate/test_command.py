from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.verdicts import read_verdicts
from dc3.simulate_annotation import main
from tests.relabel.simulate.folder import make_votes, write_folder


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """The made-up votes as a file."""
    make_votes().to_csv(tmp_path / "votes.csv", index=False)
    return tmp_path / "votes.csv"


def test_every_output_says_simulation(tmp_path: Path, votes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(tmp_path / "ssl", clustered=False)
    write_folder(tmp_path / "dc3")
    output = tmp_path / "out"
    arguments = ["--votes", str(votes), "--compare", str(tmp_path / "ssl"), "-o", str(output), "--d", "0.1"]
    assert main([str(tmp_path / "dc3"), *arguments]) == 0
    assert sorted(path.name for path in output.iterdir()) == [
        "simulation_table3.csv",
        "simulation_table3.txt",
        "simulation_verdicts.parquet",
    ]
    assert capsys.readouterr().out.startswith("SIMULATION")
    assert set(read_verdicts(output / "simulation_verdicts.parquet")["tool"]) == {"simulation"}
    table = pd.read_csv(output / "simulation_table3.csv")
    assert set(table["kind"]) == {"simulation"}
    assert set(table["proposals"]) == {"none", "ssl", "dc3"}
    assert (output / "simulation_table3.txt").read_text().startswith("SIMULATION")


def test_a_vanilla_folder_alone_is_the_ssl_column(tmp_path: Path, votes: Path) -> None:
    write_folder(tmp_path / "ssl", clustered=False)
    assert main([str(tmp_path / "ssl"), "--votes", str(votes), "-o", str(tmp_path / "out")]) == 0
    assert set(pd.read_csv(tmp_path / "out" / "simulation_table3.csv")["proposals"]) == {"none", "ssl"}


def test_folders_in_the_wrong_order_are_refused(tmp_path: Path, votes: Path) -> None:
    write_folder(tmp_path / "ssl", clustered=False)
    write_folder(tmp_path / "dc3")
    with pytest.raises(InputError, match=r"has no image in a cluster.*classes only"):
        main([str(tmp_path / "ssl"), "--votes", str(votes), "--compare", str(tmp_path / "dc3")])


@pytest.mark.parametrize(("named", "number"), [("plankton", "0.65"), ("cifar10h", "0")])
def test_d_can_be_named_by_its_data_set(tmp_path: Path, votes: Path, named: str, number: str) -> None:
    write_folder(tmp_path / "dc3")
    tables = []
    for d in (named, number):
        output = tmp_path / d
        assert main([str(tmp_path / "dc3"), "--votes", str(votes), "-o", str(output), "--d", d]) == 0
        tables.append(read_verdicts(output / "simulation_verdicts.parquet"))
    pd.testing.assert_frame_equal(*tables)


def test_d_out_of_range_is_refused_before_anything_is_written(tmp_path: Path, votes: Path) -> None:
    write_folder(tmp_path / "dc3")
    with pytest.raises(InputError, match="d < full acceptance"):
        main([str(tmp_path / "dc3"), "--votes", str(votes), "-o", str(tmp_path / "out"), "--d", "1"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flags", [["--single-seconds", "19"], ["--single-seconds=19"], ["--free-seconds", "19"]])
def test_times_follow_the_seconds_of_a_single_image(tmp_path: Path, votes: Path, flags: list[str]) -> None:
    write_folder(tmp_path / "dc3")
    seconds = []
    for more in ([], flags):
        output = tmp_path / f"out{len(more)}"
        assert main([str(tmp_path / "dc3"), "--votes", str(votes), "-o", str(output), *more]) == 0
        seconds.append(read_verdicts(output / "simulation_verdicts.parquet")["seconds"].sum())
    assert seconds[1] == pytest.approx(10 * seconds[0])


def test_a_file_in_place_of_the_folder_is_refused_before_the_play(tmp_path: Path, votes: Path) -> None:
    write_folder(tmp_path / "dc3")
    with pytest.raises(InputError, match=r"--output must be, or lie in, a folder; .*votes\.csv is a file"):
        main([str(tmp_path / "dc3"), "--votes", str(votes), "-o", str(votes)])
