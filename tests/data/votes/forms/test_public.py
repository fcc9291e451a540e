"""Three public vote tables come in by one command each: small copies of their forms, with values of our own.

FERPlus: fer2013new.csv, counts in a column a class, rows without an image. CIFAR-10N: CIFAR-10_human.pt (torch) and
.npy, six arrays of which three are votes. Texture-shape: a file a subject and session, images called by their trial.
"""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.votes.reader import read_votes
from dc3.__main__ import main
from tests.data.votes.forms.reading import count

FERPLUS = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\r\n"
    "Training,fer0000000.png,5,0,0,1,2,2,0,0,0,0\r\n"
    "Training,fer0000001.png,5,0,1,2,0,0,0,0,2,0\r\n"
    "Training,,0,0,0,0,0,0,0,0,0,10\r\n"
    "PublicTest,fer0028638.png,0,10,0,0,0,0,0,0,0,0\r\n"
    "PrivateTest,fer0032220.png,0,0,0,0,0,0,0,0,10,0\r\n"
    "PrivateTest,fer0032221.png,0,0,8,0,0,0,1,0,0,1\r\n"
)


def test_ferplus_comes_in_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fer2013new.csv").write_text(FERPLUS)
    out = tmp_path / "votes.parquet"
    assert main(["votes", f"{tmp_path}/fer2013new.csv", "--ignore-labels", "unknown,NF", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "read as: wide table, a column a class" in said
    assert "1 row(s) name no image and are left out with their 10 vote(s)" in said
    assert "column(s) that are not understood and not used: Usage" in said
    assert "13 vote(s) NF, unknown count as 'cannot tell' and are no class; 1 image(s) have no other vote" in said
    table = read_votes(out)  # without the option: the file remembers
    assert count(table) == {
        ("fer0000000.png", "neutral"): 5, ("fer0000000.png", "sadness"): 1, ("fer0000000.png", "anger"): 2,
        ("fer0000000.png", "disgust"): 2, ("fer0000001.png", "neutral"): 5, ("fer0000001.png", "surprise"): 1,
        ("fer0000001.png", "sadness"): 2, ("fer0028638.png", "happiness"): 10, ("fer0032221.png", "surprise"): 8,
        ("fer0032221.png", "fear"): 1,
    }  # fmt: skip
    assert table.ignored.to_dict("list") == {
        "image": ["fer0000001.png", "fer0032220.png", "fer0032221.png"],
        "label": ["unknown", "unknown", "NF"],
        "votes": [2, 10, 1],
    }


HUMAN = {
    "clean_label": np.array([6, 9, 9, 4]),
    "worse_label": np.array([6, 9, 1, 2]),
    "aggre_label": np.array([6, 9, 9, 4]),
    "random_label1": np.array([6, 9, 9, 4]),
    "random_label2": np.array([6, 9, 1, 2]),
    "random_label3": np.array([6, 9, 9, 7]),
}
CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def _write_pt(path: Path) -> None:
    """As torch.save does it: a pickle in a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("CIFAR-10_human/data.pkl", pickle.dumps(HUMAN, protocol=2))
        archive.writestr("CIFAR-10_human/version", "3\n")


def _write_old_pt(path: Path) -> None:
    """As torch.save did it before 1.6: four pickles."""
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, HUMAN, [])
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))


def _write_npy(path: Path) -> None:
    np.save(path, np.array(HUMAN, dtype=object), allow_pickle=True)


def _write_csv(path: Path) -> None:
    pd.DataFrame(HUMAN).to_csv(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("CIFAR-10_human.pt", _write_pt),
        ("old.pt", _write_old_pt),
        ("CIFAR-10_human_ordered.npy", _write_npy),
        ("cifar10n.csv", _write_csv),
    ],
)
def test_cifar_10n_comes_in_by_one_command(
    tmp_path: Path, name: str, write: object, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / name)  # type: ignore[operator]
    out = tmp_path / "votes.parquet"
    assert main(["votes", f"{tmp_path}/{name}", "-o", str(out), "--classes", *CIFAR]) == 0
    assert count(read_votes(out)) == {
        ("0", "frog"): 3, ("1", "truck"): 3, ("2", "truck"): 2, ("2", "automobile"): 1,
        ("3", "deer"): 1, ("3", "bird"): 1, ("3", "horse"): 1,
    }  # fmt: skip
    said = capsys.readouterr().out
    assert "votes are random_label1, random_label2, random_label3" in said
    assert "aggre_label" in said.split("are made from votes, or the truth")[0].splitlines()[-1]


def test_torch_itself_writes_what_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(HUMAN, tmp_path / "human.pt")
    assert count(read_votes(tmp_path / "human.pt"))["3", "7"] == 1


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("harm",)

    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps({"random_label1": Harm()}))
    with pytest.raises(InputError, match=r"x\.pt cannot be read \(it holds builtins\.print\)"):
        read_votes(tmp_path / "x.pt")


def _write_trials(folder: Path) -> None:
    header = "subj,session,trial,rt,object_response,category,condition,imagename\n"
    first = io.StringIO(header)
    first.seek(0, io.SEEK_END)
    first.write("subject-01,1,1,0.87,bicycle,airplane,0,0001_cue_s01_0_airplane_00_airplane1-bicycle2.png\n")
    first.write("subject-01,1,2,NaN,na,bear,0,0002_cue_s01_0_bear_00_bear3-clock1.png\n")
    second = header + (
        "subject-02,1,1,0.91,clock,bear,0,0001_cue_s02_0_bear_00_bear3-clock1.png\n"
        "subject-02,1,2,0.66,airplane,airplane,0,0002_cue_s02_0_airplane_00_airplane1-bicycle2.png\n"
    )
    (folder / "cue_subject-01_session_1.csv").write_text(first.getvalue())
    (folder / "cue_subject-02_session_1.csv").write_text(second)


def test_texture_shape_comes_in_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_trials(tmp_path)
    out = tmp_path / "votes.parquet"
    assert main(["votes", *map(str, sorted(tmp_path.glob("*.csv"))), "-o", str(out)]) == 0
    table = read_votes(out)
    # the same picture, whatever the trial: two people's votes meet; the truth in `category` is none
    assert table.rows[["image", "label", "annotator"]].to_dict("list") == {
        "image": ["airplane1-bicycle2.png", "bear3-clock1.png", "airplane1-bicycle2.png"],
        "label": ["bicycle", "clock", "airplane"],
        "annotator": ["subject-01", "subject-02", "subject-02"],
    }
    assert table.rows["seconds"].tolist() == [0.87, 0.91, 0.66]
    said = capsys.readouterr().out
    assert "1 trial(s) without an answer that are no votes" in said
    assert "0001_cue_s01_0_airplane_00_airplane1-bicycle2.png is airplane1-bicycle2.png" in said
