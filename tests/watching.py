"""Programs under watch: a home folder of their own, and every address that they or their native libraries call.

strace sees what Python's audit hooks do not: onnxruntime's uploader is C++.
"""

import contextlib
import ipaddress
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "OMP_NUM_THREADS", "TMPDIR")
_NAME_SERVER = 53
_OPTIONS = "-D -f -q --seccomp-bpf -s 0 -e signal=none -e trace=execve,connect,sendto,sendmsg,sendmmsg"
_ADDRESS = re.compile(
    r"sin6?_port=htons\((?P<port>\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"(?P<address>[^\"]+)\""
)


class Watch:
    """Runs programs with one new home folder, and keeps what they called."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self._traces = folder / "traces"
        self._traces.mkdir()

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        """The little that a program needs of these variables: of a lab's shell, where none says CI or test.

        MLflow sends nothing from where one does, so that a test could not see that it would.
        """
        return {name: variables[name] for name in _KEPT if name in variables} | {"HOME": str(self.home)}

    def prefix(self) -> list[str]:
        """What stands before a command to have it watched; its process stays the one that is started."""
        trace = self._traces / str(len(list(self._traces.iterdir())))
        trace.touch()
        return ["strace", *shlex.split(_OPTIONS), "-o", str(trace)]

    def left_at_home(self) -> list[str]:
        """Files and folders in the home folder, which was empty."""
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob("*"))

    def called(self) -> list[str]:
        """Addresses outside of this machine, and name servers wherever they are, each with its program's trace."""
        found = []
        for trace in sorted(self._traces.iterdir()):
            text = _read_ended(trace)
            for match in _ADDRESS.finditer(text):
                address, port = ipaddress.ip_address(match["address"]), int(match["port"])
                mapped = getattr(address, "ipv4_mapped", None) or address
                if port == _NAME_SERVER or not (mapped.is_loopback or mapped.is_unspecified):
                    found.append(f"{trace.name}: {address} port {port}")
        return found


def why_blind() -> str:
    """Why nothing can be watched here, empty where it can."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return "there is no strace; on Debian: apt-get install strace"
    done = subprocess.run(
        ["strace", *shlex.split(_OPTIONS), "-o", "/dev/null", "true"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if done.returncode == 0 and not done.stderr else f"strace cannot watch: {done.stderr[:200]}"


def _read_ended(trace: Path, limit_s: float = 30) -> str:
    """A trace to its end: strace writes on for a moment when the program has ended."""
    end = time.monotonic() + limit_s
    while _is_open(trace):
        assert time.monotonic() < end, f"the program of {trace} did not end"
        time.sleep(0.05)
    text = trace.read_text(errors="replace")
    assert " execve(" in text, f"strace saw no program: {trace}"
    return text


def _is_open(path: Path) -> bool:
    """Whether any process has it open."""
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            if handle.readlink() == path:
                return True
    return False
