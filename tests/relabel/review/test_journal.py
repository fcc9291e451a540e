"""The journal: appended to, durable, and honest about damage."""

import os
from pathlib import Path

import pytest

from data.errors import InputError
from relabel.review.events import Answer, Header, Shown, Undo, from_line, to_line
from relabel.review.journal import Journal, read_journal

HEADER = Header("run-1", 1)
AT = "2026-11-24T12:00:00+00:00"
SHOWN = Shown("Zoë 🐈", "cluster:1:0", AT)
EVENTS = [
    SHOWN,
    Answer("id-1", "Zoë 🐈", "cluster:1:0", ("a\nb", "c"), ("cat", "cat"), "label", "cat", ("c",), 1.25, AT),
    Undo("id-2", "Zoë 🐈", "id-1", AT),
]


@pytest.mark.parametrize("event", [HEADER, *EVENTS])
def test_an_event_is_one_line_and_comes_back(event: Header | Shown | Answer | Undo) -> None:
    line = to_line(event)
    assert line.count(b"\n") == 1
    assert from_line(line) == event


def fill(path: Path) -> bytes:
    journal = Journal(path, HEADER)
    for event in EVENTS:
        journal.append(event)
    journal.close()
    return path.read_bytes()


def test_events_come_back_after_any_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    data = fill(path)
    ends = [place + 1 for place, byte in enumerate(data) if byte == ord("\n")]
    for cut in range(ends[0], len(data) + 1):
        path.write_bytes(data[:cut])
        journal = Journal(path, HEADER)
        whole = sum(end <= cut for end in ends)
        assert journal.events == [HEADER, *EVENTS][:whole]
        journal.append(SHOWN)
        journal.close()
        assert read_journal(path)[0] == [*[HEADER, *EVENTS][:whole], SHOWN]


def test_an_append_is_synchronised_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "journal", HEADER)
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    journal.append(EVENTS[1])
    assert sizes == [(tmp_path / "journal").stat().st_size]
    journal.append(SHOWN, sync=False)
    assert len(sizes) == 1
    journal.close()


def test_a_failed_write_leaves_the_journal_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, HEADER)
    before = path.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    with pytest.raises(OSError, match="full"):
        journal.append(EVENTS[1])
    monkeypatch.undo()
    assert path.read_bytes() == before
    journal.append(SHOWN)
    journal.close()
    assert read_journal(path)[0] == [HEADER, SHOWN]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    lines = fill(path).splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b'{"event": "answer"}\n', *lines[3:]]))
    with pytest.raises(InputError, match=r"Line 3 of .*journal is damaged .*cut that line out"):
        Journal(path, HEADER)


def test_a_journal_of_other_proposals_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "journal")
    with pytest.raises(InputError, match=r"run-1.*run-2.*another --verdicts"):
        Journal(tmp_path / "journal", Header("run-2", 1))


def test_only_one_process_writes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", HEADER)
    with pytest.raises(InputError, match="in use"):
        Journal(tmp_path / "journal", HEADER)
    journal.close()
    Journal(tmp_path / "journal", HEADER).close()
