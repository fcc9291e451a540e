"""What our dependencies would send is off in every package and image; tests/test_readme.py watches real programs."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.privacy import SWITCHES, switch_off
from tests.watching import Watch, why_blind

ROOT = Path(__file__).parents[1]
_SHOW = "import os, sys, {package}; print([os.environ.get(name) for name in {names!r}], 'onnxruntime' in sys.modules)"
_SESSION = """
import serving, onnx, onnxruntime
shape = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
node = onnx.helper.make_node("Identity", ["x"], ["y"])
graph = onnx.helper.make_graph([node], "g", shape[:1], shape[1:])
model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""
_CALLS = """
import socket
for family, address in ((socket.AF_INET, "{v4}"), (socket.AF_INET6, "{v6}")):
    try:
        socket.socket(family, socket.SOCK_DGRAM).connect((address, {port}))
    except OSError:
        pass
"""


@pytest.mark.parametrize("package", ["dc3", "relabel", "serving", "training", "tuning"])
def test_every_package_switches_all_off_before_it_imports_anything(package: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    code = _SHOW.format(package=package, names=tuple(SWITCHES))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.stdout.strip() == f"{list(SWITCHES.values())} False", done.stderr


def test_what_a_user_has_set_stays() -> None:
    mine = {"ORT_DISABLE_TELEMETRY": "0", "MPLCONFIGDIR": "/mine"}
    environment = dict(mine)
    switch_off(environment)
    assert environment == SWITCHES | mine


def test_matplotlib_s_list_of_fonts_is_read_at_home_and_never_made_there(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    switch_off(environment)
    assert not environment["MPLCONFIGDIR"].startswith(str(tmp_path))
    for there in ({"HOME": str(tmp_path)}, {"HOME": "/nowhere", "XDG_CACHE_HOME": str(tmp_path / ".cache")}):
        (tmp_path / ".cache" / "matplotlib").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".cache" / "matplotlib" / "fontlist-v390.json").touch()
        environment = dict(there)
        switch_off(environment)
        assert "MPLCONFIGDIR" not in environment


def test_the_images_have_the_switches_of_what_they_hold() -> None:
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM base AS ")
    for stage, left_out in (("train", set()), ("serve", {"MLFLOW_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"})):
        (text,) = [text for text in stages if text.startswith(f"{stage}\n")]
        found = dict(re.findall(r"(?<=[ ])(\w+)=(\S+)", "\n".join(re.findall(r"^ENV .*$", text, re.MULTILINE))))
        assert {name: found.get(name) for name in SWITCHES if name not in left_out} == {
            name: value for name, value in SWITCHES.items() if name not in left_out
        }


def test_the_docs_name_every_switch() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text()
    assert [name for name, value in SWITCHES.items() if f"{name}={value}" not in text] == []


def test_onnxruntime_leaves_no_device_id_at_home_and_calls_nobody(tmp_path: Path) -> None:
    if why := why_blind():
        pytest.skip(f"WHAT IS SENT IS UNTESTED HERE: {why}")
    watch = Watch(tmp_path)
    environment = watch.environment(dict(os.environ))
    subprocess.run(
        [*watch.prefix(), sys.executable, "-c", _SESSION], cwd=ROOT, env=environment, timeout=900, check=True
    )
    assert watch.left_at_home() == []
    assert watch.called() == []


@pytest.mark.parametrize(
    ("v4", "v6", "port", "seen"),
    [
        ("127.0.0.1", "::1", 9, []),
        ("192.0.2.1", "2001:db8::1", 9, ["0: 192.0.2.1 port 9", "0: 2001:db8::1 port 9"]),
        ("127.0.0.1", "::1", 53, ["0: 127.0.0.1 port 53", "0: ::1 port 53"]),
    ],
)
def test_the_watch_sees_who_calls_another_machine_or_asks_for_its_name(
    tmp_path: Path, v4: str, v6: str, port: int, seen: list[str]
) -> None:
    """Else the watch over the README's commands could not fail. Nothing is sent: a datagram socket only notes whom."""
    if why := why_blind():
        pytest.skip(f"WHAT IS SENT IS UNTESTED HERE: {why}")
    watch = Watch(tmp_path)
    code = _CALLS.format(v4=v4, v6=v6, port=port) + "import pathlib; (pathlib.Path.home() / 'left').touch()"
    environment = watch.environment(dict(os.environ))
    assert "PYTEST_CURRENT_TEST" not in environment
    code += "; import os, signal; os.kill(os.getpid(), signal.SIGTERM)"  # as servers end
    done = subprocess.run([*watch.prefix(), sys.executable, "-c", code], env=environment, timeout=300, check=False)
    assert done.returncode == -signal.SIGTERM
    assert watch.called() == seen
    assert watch.left_at_home() == ["left"]
