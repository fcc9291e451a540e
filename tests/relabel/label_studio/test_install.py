"""What an installation waits for is said, and has an end; none is carried out here."""

import fcntl
from pathlib import Path

import pytest

from data.errors import InputError
from relabel.label_studio import install as module
from relabel.label_studio.install import VERSION, install
from tests.threads import join_threads, start_thread


def test_a_second_process_says_that_it_waits_and_installs_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried_out: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "_run", lambda *command: carried_out.append(command))
    folder, notices = tmp_path / f"label-studio-{VERSION}", []

    def go_on_once_told(notice: str) -> None:
        notices.append(notice)
        folder.mkdir()
        (folder / "done").touch()  # by the other, which then ends
        lock.close()

    lock = (tmp_path / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    second = start_thread(lambda: install(tmp_path, go_on_once_told))
    join_threads(second, waits_for=lambda: notices)
    assert notices == [f"Waiting for another process, which installs Label Studio {VERSION} in {tmp_path}."]
    assert carried_out == []


def test_a_step_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_S", 0.2)
    with pytest.raises(InputError, match=r"cannot be installed \(.*timed out after 0.2 seconds\)"):
        module._run("sleep", "60")


def test_the_message_is_pips_last_line() -> None:
    with pytest.raises(InputError, match=r"cannot be installed \(no such version\)"):
        module._run("sh", "-c", "echo much >&2; echo no such version >&2; exit 1")
