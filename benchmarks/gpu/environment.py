"""Makes an environment like the GPU machine's, to try the benchmark in on a CPU: torch 2.11, no MLflow or Optuna.

python -m benchmarks.gpu.environment [build/gpu-environment]

torch's wheel for Linux needs CUDA's libraries to be imported, 3 GB; those that this environment has are linked in, so
that torch's own 530 MB are all that is fetched for it.
"""

import fcntl
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = "3.12"


def main() -> int:
    """Returns 0 when the environment imports its torch, 1 otherwise."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/gpu-environment")
    try:
        with alone(folder):
            print(f"{folder}: {make_environment(folder)}")
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"No environment like the GPU machine's could be made: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits while another process makes the environment, as CI does beside its tests, and keeps others waiting."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment(folder: Path) -> str:
    """Makes it, or finds it made; returns the versions of Python, torch and torchvision.

    Raises CalledProcessError where a package cannot be had, or torch not be imported.
    """
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run(find_python(), "-m", "venv", str(folder))
        # torch's list of needs names CUDA's libraries; --no-deps for all, what is needed stands in the file
        install = (str(python), "-m", "pip", "install", "--quiet", "--no-compile")
        named = [line for line in REQUIREMENTS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
        heavy = [name for name in named if name.startswith("torch")]
        _run(*install, "--no-deps", *heavy)
        _run(*install, *(name for name in named if name not in heavy))
        _link_cuda(python)
    code = "import sys, torch, torchvision; print(sys.version.split()[0], torch.__version__, torchvision.__version__)"
    versions = _run(str(python), "-c", code).strip()
    (folder / "done").touch()
    return versions


def find_python() -> str:
    """Python 3.12, which the GPU machine has: from the PATH or pyenv; else the one that runs this."""
    found = [shutil.which(f"python{PYTHON}"), *sorted(Path.home().glob(f".pyenv/versions/{PYTHON}*/bin/python"))]
    for name in filter(None, found):
        # pyenv's own command of that name stands in the PATH also where it leads nowhere
        if subprocess.run([name, "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(name)
    return sys.executable


def _link_cuda(python: Path) -> None:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    target = Path(_run(str(python), "-c", code).strip()) / "nvidia"
    own = Path(sysconfig.get_path("purelib")) / "nvidia"
    if own.is_dir() and not target.exists():
        target.symlink_to(own.resolve())


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
