"""The command line: verbs, faults the user can mend, and `mlflow run`."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dc3.__main__ import VERBS, main

ROOT = Path(__file__).parents[2]


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_module(verb: str) -> None:
    assert (ROOT / "dc3" / f"{verb.replace('-', '_')}.py").is_file()


@pytest.mark.parametrize("given", [["--votes", "a.csv", "--votes", "b.csv"], ["--votes=a.csv", "--votes=b.csv"]])
def test_votes_named_twice_are_refused_and_not_dropped(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *given]) == 2
    assert "--votes is given 2 times, and only the last would count: join the tables" in capsys.readouterr().err


def test_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "did you mean train?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--preset", "digit"], "did you mean digits?"),
        (["train", "--method", "fixmach"], "did you mean fixmatch?"),
        (["train", "--prior", "2"], "prior = 2.0: must lie between 0 and 1"),
        (["train", "--source", "folder"], "needs --images and --votes"),
        (["train", "--resume", "a", "--repeat", "b"], "give one of them"),
        (["compare", "--methods", "none"], "none is none of"),
        (["train", "--register", "a/b"], "none of them / : @, not 'a/b'"),
        (["train", "--seed", "-1"], "seed = -1: must lie between 0"),
        (["train", "--validation", "1e-9"], "validation = 1e-09 of 2597 images is less than one"),
        (["train", "--name", "\udcff"], r"'\udcff' is not in UTF-8"),
        (["soft-labels", "x" * 300], "File name too long"),
    ],
)
def test_faults_end_in_one_message_and_status_2(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--stepps", "3"])
    assert stopped.value.code == 2
    assert "--steps" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help")])
def test_a_reader_that_leaves_early_is_no_fault(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "dc3", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""


def test_help_does_not_import_torch() -> None:
    code = "import sys, dc3.__main__ as m; m.main(['--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300).returncode == 0


@pytest.mark.parametrize(
    ("entry", "wrong", "message"),
    [
        ("main", {"prior": "2"}, "prior = 2.0: must lie between 0 and 1"),
        ("train", {"prior": "2"}, "prior = 2.0: must lie between 0 and 1"),
        ("compare", {"seeds": "0"}, "--seeds = 0"),
        ("tune", {"trials": "-1"}, "--trials -1 at least 0"),
        ("export", {}, "No finished training"),
    ],
)
def test_what_mlflow_run_makes_of_an_entry_is_a_command_of_ours(
    store: Path, capsys: pytest.CaptureFixture[str], entry: str, wrong: dict[str, str], message: str
) -> None:
    """All options but one are taken; a whole `mlflow run` is a command of the README, tried in tests/test_readme.py."""
    from mlflow.projects import _project_spec

    project = _project_spec.load_project(str(ROOT))
    words = shlex.split(project.get_entry_point(entry).compute_command(wrong, None))
    assert words[:3] == ["python", "-m", "dc3"]
    assert main(words[3:]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_mlflow_run_without_an_environment_manager_says_what_is_missing(store: Path) -> None:
    environment = {"HOME": str(store), "PATH": "/usr/bin:/bin", "MLFLOW_TRACKING_URI": f"sqlite:///{store}/mlflow.db"}
    command = [sys.executable, "-m", "mlflow", "run", ".", "-e", "train"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300)
    assert done.returncode != 0
    assert "Ensure Conda is installed" in done.stderr


@pytest.mark.slow
def test_a_step_needs_torch_torchvision_and_numpy_alone_and_a_whole_training_no_store() -> None:
    """A borrowed GPU machine has little; so do the tests that it runs."""
    absent = ("mlflow", "optuna", "bentoml", "onnx", "tyro")
    of_no_step = ("pandas", "sklearn", "scipy", "pyarrow", "pydantic", "tqdm")
    code = (
        "import sys\n"
        f"for name in {absent + of_no_step}: sys.modules[name] = None\n"
        "import training.loop.fit, training.methods, training.networks\n"
        "import tests.gpu.test_loop_on_each_device, tests.gpu.test_same_on_each_device\n"
        f"for name in {of_no_step}: del sys.modules[name]\n"
        "import training.evaluate.predict, training.config\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
