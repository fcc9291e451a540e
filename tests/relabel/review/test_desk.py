"""Answers: what is stored of them, their time, and when they are refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.errors import InputError
from data.verdicts import Verdict, to_table
from relabel.review.desk import Desk, ReviewOptions, Submission
from relabel.review.journal import read_journal
from relabel.review.units import Unit
from web.refused import Refused


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(digits: Path, tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    opened = Desk(ReviewOptions(digits, tmp_path / "journal"), clock)
    yield opened
    opened.close()


def test_a_class_called_mixed_is_refused_before_anybody_is_asked(digits: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    for path in digits.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "about.json").unlink()
    about = json.loads((digits / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"classes": [*about["classes"], "Mixed"]}))
    with pytest.raises(InputError, match="No class may be called 'Mixed'"):
        Desk(ReviewOptions(folder, tmp_path / "journal"))
    assert not (tmp_path / "journal").exists()


def make(unit: Unit, number: int, answered: str, **changes: object) -> Submission:
    decision = "label" if answered else "skip"
    values = Submission(f"id-{number:06d}", unit.id, unit.images, unit.proposal, decision, answered, (), 1.0)  # type: ignore[arg-type]
    return values._replace(**changes)


def reach(desk: Desk, clock: Clock, wanted: str) -> Unit:
    """Skips to a grid, a single image with its class, one of the control arm, or one that came back."""
    for number in range(500):
        unit = desk.state("Anna").unit
        assert unit is not None, wanted
        arm = desk.proposals[unit.images[0]].arm
        kinds = {
            "grid": unit.grid and len(unit.images) > 3,
            "proposed": not unit.grid and bool(unit.proposal),
            "control": arm == "control",
            "again": unit.id.startswith("again:"),
        }
        if kinds[wanted]:
            return unit
        clock.pass_s(1)
        desk.answer("Anna", make(unit, 1000 + number, ""))
    raise AssertionError(wanted)


def last(desk: Desk, unit: Unit) -> dict[str, Verdict]:
    return {row.image: row for row in desk.verdicts("Anna")[-len(unit.images) :]}


def test_a_grid_gives_a_row_an_image(desk: Desk, clock: Clock) -> None:
    unit = reach(desk, clock, "grid")
    clock.pass_s(60)
    desk.answer("Anna", make(unit, 1, unit.proposal, excluded=unit.images[:1], seconds=30.0))
    rows = last(desk, unit)
    assert [row.outcome for row in rows.values()] == ["excluded", *["accepted"] * (len(unit.images) - 1)]
    assert {row.unit for row in rows.values()} == {"cluster"}
    assert {row.proposal for row in rows.values()} == {unit.proposal}
    assert {row.arm for row in rows.values()} == {"proposal"}
    assert {row.cluster for row in rows.values()} == {unit.id.split(":")[1]}
    assert sum(row.seconds for row in rows.values()) == pytest.approx(30)
    assert [row.label for row in rows.values()] == ["", *[unit.proposal] * (len(unit.images) - 1)]
    to_table(desk.verdicts(None))


def test_another_class_is_a_change(desk: Desk, clock: Clock) -> None:
    unit = reach(desk, clock, "proposed")
    other = next(name for name in desk.bundle.about.classes if name != unit.proposal)
    desk.answer("Anna", make(unit, 1, other))
    [row] = last(desk, unit).values()
    assert (row.outcome, row.label, row.proposal, row.unit) == ("changed", other, unit.proposal, "image")


def test_a_control_answer_is_manual_and_keeps_the_hidden_proposal(desk: Desk, clock: Clock) -> None:
    unit = reach(desk, clock, "control")
    proposed = desk.proposals[unit.images[0]].proposal
    desk.answer("Anna", make(unit, 1, proposed))
    [row] = last(desk, unit).values()
    assert (row.outcome, row.arm, row.proposal) == ("manual", "control", proposed)


def test_what_came_back_is_manual_without_proposal(desk: Desk, clock: Clock) -> None:
    grid = reach(desk, clock, "grid")
    desk.answer("Anna", make(grid, 1, "", decision="mixed"))
    rows = last(desk, grid).values()
    assert {(row.outcome, row.unit, row.label) for row in rows} == {("skipped", "cluster", "")}
    unit = reach(desk, clock, "again")
    assert unit.images[0] in grid.images
    desk.answer("Anna", make(unit, 2, "3"))
    [row] = last(desk, unit).values()
    assert (row.outcome, row.arm, row.proposal, row.unit) == ("manual", "proposal", "", "image")


def test_the_map_gives_one_label_to_many(desk: Desk, clock: Clock) -> None:
    desk.state("Anna")
    free = [name for name, row in desk.proposals.items() if row.arm == "proposal"][:4]
    unit = Unit("selection", tuple(free), "", False, "", 0.0)
    clock.pass_s(8)
    desk.select("Anna", make(unit, 1, "5", seconds=8.0), shown=False)
    rows = last(desk, unit)
    assert list(rows) == free
    assert {(r.outcome, r.unit, r.proposal, r.seconds) for r in rows.values()} == {("manual", "image", "", 2.0)}
    more = [name for name, row in desk.proposals.items() if row.arm == "proposal"][3:6]
    desk.select("Anna", make(unit._replace(images=tuple(more)), 2, "5"), shown=True)
    rows = {row.image: row for row in desk.verdicts("Anna")}
    assert rows[more[0]].proposal == ""  # judged before: the first answer stays
    for name in more[1:]:
        expected = "accepted" if desk.proposals[name].proposal == "5" else "changed"
        assert (rows[name].proposal, rows[name].outcome) == (desk.proposals[name].proposal, expected)


def test_the_map_cannot_label_the_control_arm(desk: Desk) -> None:
    control = tuple(name for name, row in desk.proposals.items() if row.arm == "control")[:1]
    with pytest.raises(Refused, match="control arm"):
        desk.select("Anna", make(Unit("selection", control, "", False, "", 0.0), 1, "5"), shown=False)
    assert desk.verdicts(None) == []


def test_nobody_can_claim_more_time_than_passed(desk: Desk, clock: Clock) -> None:
    unit = desk.state("Anna").unit
    assert unit is not None
    clock.pass_s(5)
    desk.answer("Anna", make(unit, 1, "3", seconds=3600.0))
    assert desk.verdicts("Anna")[-1].seconds == 5
    chosen = tuple(n for n, row in desk.proposals.items() if row.arm == "proposal" and n not in unit.images)[:2]
    clock.pass_s(4)
    desk.select("Anna", make(Unit("selection", chosen, "", False, "", 0.0), 2, "3", seconds=3.0), shown=False)
    later = desk.state("Anna").unit
    assert later is not None
    desk.answer("Anna", make(later, 3, "3", seconds=3600.0))
    assert sum(row.seconds for row in desk.verdicts("Anna")) == pytest.approx(9)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_impossible_times_are_refused(desk: Desk, seconds: float) -> None:
    unit = desk.state("Anna").unit
    assert unit is not None
    with pytest.raises(Refused, match="seconds"):
        desk.answer("Anna", make(unit, 1, "3", seconds=seconds))


def test_the_same_answer_is_stored_once(desk: Desk, clock: Clock) -> None:
    unit = desk.state("Anna").unit
    assert unit is not None
    clock.pass_s(2)
    first = desk.answer("Anna", make(unit, 1, "3"))
    assert desk.answer("Anna", make(unit, 1, "3")) == first
    assert len(desk.verdicts("Anna")) == len(unit.images)
    with pytest.raises(Refused, match="not the question you are at"):
        desk.answer("Anna", make(unit, 2, "4"))


def test_undo_appends_and_asks_again_with_the_time_going_on(desk: Desk, clock: Clock, tmp_path: Path) -> None:
    unit = desk.state("Anna").unit
    assert unit is not None
    clock.pass_s(10)
    desk.answer("Anna", make(unit, 1, "3", seconds=10.0))
    before = (tmp_path / "journal").read_bytes()
    state, taken = desk.undo("Anna", "undo-0001")
    assert state.unit == unit
    assert taken is not None
    assert taken.label == "3"
    assert (tmp_path / "journal").read_bytes().startswith(before)
    assert desk.verdicts("Anna") == []
    assert desk.undo("Anna", "undo-0001") == (state, None)
    clock.pass_s(2)
    desk.answer("Anna", make(unit, 2, "4", seconds=12.0))
    [row] = desk.verdicts("Anna")
    assert (row.label, row.seconds) == ("4", 12)
    kinds = [type(event).__name__ for event in read_journal(tmp_path / "journal")[0]]
    assert kinds == ["Header", "Shown", "Answer", "Shown", "Undo", "Shown", "Answer", "Shown"]


def test_several_answers_can_be_taken_back(desk: Desk) -> None:
    units = []
    for number in range(3):
        unit = desk.state("Anna").unit
        assert unit is not None
        units.append(unit)
        desk.answer("Anna", make(unit, number, "3"))
    for number, unit in enumerate(reversed(units)):
        assert desk.undo("Anna", f"undo-{number:04d}")[0].unit == unit
    with pytest.raises(Refused, match="no answer"):
        desk.undo("Anna", "undo-0009")


def test_nothing_is_said_to_be_stored_when_the_disk_is_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = desk.state("Anna").unit
    assert unit is not None

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relabel.review.journal.os.write", fail)
    with pytest.raises(Refused, match=r"NOT stored.*No space"):
        desk.answer("Anna", make(unit, 1, "3"))
    monkeypatch.undo()
    assert desk.verdicts(None) == []
    desk.answer("Anna", make(unit, 1, "3"))
    assert len(desk.verdicts(None)) == len(unit.images)


def test_bad_answers_are_refused(desk: Desk, clock: Clock) -> None:
    unit = reach(desk, clock, "proposed")
    for changes, reason in [
        ({"label": "zebra"}, "no_such_class"),
        ({"decision": "mixed", "label": ""}, "single"),
        ({"excluded": unit.images}, "single"),
        ({"label": ""}, "no_such_class"),
        ({"decision": "skip"}, "label"),
        ({"proposal": ""}, "changed"),
        ({"images": ("digit_000.png", "digit_001.png")}, "changed"),
    ]:
        with pytest.raises(Refused) as caught:
            desk.answer("Anna", make(unit, 1, "3", **changes))
        assert caught.value.reason == reason, changes
    assert desk.state("Anna").unit == unit


def test_a_restart_goes_on_at_the_same_question(digits: Path, tmp_path: Path, clock: Clock) -> None:
    options = ReviewOptions(digits, tmp_path / "journal")
    first = Desk(options, clock)
    unit = first.state("Anna").unit
    assert unit is not None
    clock.pass_s(1)
    state = first.answer("Anna", make(unit, 1, "3"))
    rows = first.verdicts(None)
    first.close()
    clock.pass_s(30)
    again = Desk(options, clock)
    assert again.state("Anna") == state
    assert again.verdicts(None) == rows
    assert state.unit is not None
    again.answer("Anna", make(state.unit, 2, "3", seconds=31.0))
    assert sum(r.seconds for r in again.verdicts("Anna")[-len(state.unit.images) :]) == pytest.approx(30)
    again.close()
