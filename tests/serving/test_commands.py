"""`dc3 export` and `dc3 serve` up to where the work begins."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from dc3 import export as export_command
from dc3 import serve as serve_command
from serving.export import to_onnx as export_module
from serving.export.to_onnx import Exported
from serving.model.card import BadModel
from serving.settings import Settings
from tests.serving.running import CARD, free_port


def test_export_takes_the_best_run_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, str, str]] = []

    def write(run: str, path: Path, input_type: str, precision: str, n_typical: int) -> Exported:
        calls.append((run, input_type, precision))
        assert n_typical == 6
        path.write_bytes(b"model")
        return Exported(replace(CARD, precision=precision), 2.5, ("no image is left",))

    monkeypatch.setattr(export_module, "export", write)
    monkeypatch.setitem(sys.modules, "training.track", SimpleNamespace(best_run=lambda by, on_notice: "the best"))
    path = tmp_path / "model.onnx"
    assert export_command.main(["--output", str(path)]) == 0
    assert export_command.main(["abc", "--output", str(path), "--input-type", "float32"]) == 0
    printed = capsys.readouterr().out
    assert "note: no image is left" in printed
    assert f"{path}: 0.0 MB, run {CARD.run_id}, 3 classes, 6 clusters" in printed
    assert "20 typical images of the run's data travel with the file; --typical 0 leaves them out" in printed
    assert export_command.main(["abc", "--output", str(path), "--int8"]) == 0
    assert "int8: 2.5 times as fast" in capsys.readouterr().out
    assert export_command.main(["abc", "--output", str(path), "--fp16"]) == 0
    capsys.readouterr()
    assert export_command.main(["abc", "--output", str(path), "--fp16", "--int8", "--typical", "-1"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "dc3 export: --int8 and --fp16 exclude each other",
        "dc3 export: --typical must be 0 to 50 images a cluster, it is -1",
    ]
    expected = [("the best", "uint8", "float32"), ("abc", "float32", "float32"), ("abc", "uint8", "int8")]
    assert calls == [*expected, ("abc", "uint8", "float16")]


def test_export_takes_no_place_but_a_file_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (pipe, tmp_path):
        assert export_command.main(["abc", "--output", str(place)]) == 2
        assert f"--output {place} is a folder or a device" in capsys.readouterr().err
    assert pipe.is_fifo()


def test_a_refused_export_ends_in_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> Exported:
        raise BadModel("ambiguity differs")

    monkeypatch.setattr(export_module, "export", refuse)
    assert export_command.main(["abc"]) == 2
    assert capsys.readouterr().err == "dc3 export: ambiguity differs\n"


def test_serve_tells_all_faults_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("\n \n")
    options = ["--workers", "0", "--certificate", "absent.pem", "--api-keys-file", str(keys), "--host", "0.0.0.0"]
    assert serve_command.main([str(tmp_path / "absent.onnx"), "--port", str(free_port()), *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    parts = (
        "cannot be read",
        "must have one API key",
        "--workers",
        "both be given",
        "no file absent.pem",
        "--insecure",
    )
    assert len(lines) == len(parts)
    for line, part in zip(lines, parts, strict=True):
        assert line.startswith("dc3 serve: ")
        assert part in line
    monkeypatch.setenv("DC3_MAX_BATCH", "many")
    assert serve_command.main([str(tmp_path / "absent.onnx")]) == 2
    assert "DC3_MAX_BATCH must be of type int, it is 'many'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "keys", "insecure", "message"),
    [
        ("127.0.0.1", "", False, ""),
        ("::1", "", False, ""),
        ("0.0.0.0", "", False, "--insecure"),
        ("::", "", False, "--insecure"),
        ("0.0.0.0", "a-key", False, ""),
        ("0.0.0.0", "", True, ""),
        ("localhost", "", False, "must be an IP address"),
        ("203.0.113.9", "a-key", False, "cannot listen on"),
    ],
)
def test_only_this_machine_is_served_without_a_key(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, keys: str, insecure: bool, message: str
) -> None:
    monkeypatch.setenv("DC3_API_KEYS", keys)
    options = serve_command.ServeOptions(str(model_path), host=host, port=free_port(), insecure=insecure)
    faults = serve_command.find_faults(options, Settings(model_path, insecure=insecure))
    assert len(faults) == bool(message)
    assert message in "".join(faults)
