"""`dc3 VERB --help` answers at once: it reads options, and loads no library that only the work needs."""

import json
import subprocess
import sys

import pytest

from dc3.__main__ import VERBS

HEAVY = ("torch", "torchvision", "timm", "mlflow", "sklearn", "scipy", "pandas", "pyarrow", "matplotlib", "optuna",
         "onnx", "onnxruntime", "bentoml", "sqlalchemy")  # fmt: skip
# each verb in turn: what one of them loads stays loaded, so that it is told of this one and of all after it
ASK_ALL = """
import contextlib, io, json, sys
from dc3.__main__ import VERBS, main
answers = {}
for verb in VERBS:
    told = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        main([verb, "--help"])
    answers[verb] = [told.getvalue(), sorted(name for name in sys.modules if "." not in name)]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[str, list[str]]]:
    """Text and loaded libraries, by verb."""
    asked = subprocess.run([sys.executable, "-c", ASK_ALL], check=True, capture_output=True, text=True, timeout=300)
    return dict(json.loads(asked.stdout))


@pytest.mark.parametrize("verb", VERBS)
def test_help_loads_no_library_that_only_the_work_needs(verb: str, answers: dict[str, tuple[str, list[str]]]) -> None:
    text, loaded = answers[verb]
    assert f"dc3 {verb}" in text
    assert not set(HEAVY) & set(loaded)


def test_help_shows_the_presets_values(answers: dict[str, tuple[str, list[str]]]) -> None:
    assert "--steps INT" in answers["train"][0]
    assert "(default: 300)" in answers["train"][0]
