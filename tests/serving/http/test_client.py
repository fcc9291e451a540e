"""The clients of the README and of docs/serving.md work as they are written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.serving.running import ROOT, Server, make_images

pytestmark = pytest.mark.slow
PAGES = ("README.md", "docs/serving.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_python_client_says_what_each_image_is(server: Server, tmp_path: Path, page: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 12
    names = re.findall(r'"(\w+\.(?:jpg|png))"', code)
    assert len(names) == 2
    Image.fromarray(make_images(1)[0]).save(tmp_path / names[0])
    (tmp_path / names[1]).write_text("no image")
    assert "http://127.0.0.1:3000/" in code
    script = code.replace("http://127.0.0.1:3000", server.url)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    good, bad = done.stdout.splitlines()
    assert re.match(rf"{names[0]} is (cat|dog|owl|doubtful, like )", good)
    assert "not a readable image" in bad
