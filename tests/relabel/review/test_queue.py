"""Which question comes next for whom."""

from datetime import UTC, datetime, timedelta

from data.proposals import Proposal
from relabel.review.events import Answer, Shown, Undo
from relabel.review.progress import Progress
from relabel.review.queue import BANDS, HELD, PAUSE, open_units, order_units
from relabel.review.units import Unit, single_unit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def make_proposal(name: str) -> Proposal:
    return Proposal(name, name, "test", "proposal", "cluster", "cat", 0.9, "1", 0, False, 0.8, 1.0, 0.0, 0.0)


PROPOSALS = {name: make_proposal(name) for name in [f"s{number}" for number in range(40)] + ["a", "b", "c"]}
GRID = Unit("cluster:1:0", ("a", "b", "c"), "cat", True, "cats", 9.0)
SINGLES = [single_unit(PROPOSALS[f"s{number}"], "cat") for number in range(40)]


def answer(annotator: str, asked: Unit, number: int, **changes: object) -> Answer:
    values: dict[str, object] = {
        "id": f"{annotator}-{number}",
        "annotator": annotator,
        "unit": asked.id,
        "images": asked.images,
        "proposals": ("cat",) * len(asked.images),
        "decision": "label",
        "label": "cat",
        "excluded": (),
        "seconds": 1.0,
        "at": (NOW + timedelta(seconds=number)).isoformat(),
    }
    return Answer(**(values | changes))  # type: ignore[arg-type]


def ids(progress: Progress, annotator: str, overlap: int = 1, now: datetime = NOW) -> list[str]:
    order = [GRID, *SINGLES]
    return [unit.id for unit in open_units(order, PROPOSALS, progress, annotator, overlap, now)]


def test_order_follows_gain_by_tenths_and_differs_between_annotators() -> None:
    units = [unit._replace(gain_per_minute=float(number)) for number, unit in enumerate(SINGLES)]
    anna, bert = (order_units(units, 7, name) for name in ("Anna", "Bert"))
    assert anna != bert
    assert anna == order_units(list(reversed(units)), 7, "Anna")
    size = len(units) // BANDS
    for order in (anna, bert):
        for band in range(BANDS):
            gains = sorted(unit.gain_per_minute for unit in order[band * size : (band + 1) * size])
            top = 39 - band * size
            assert gains == [float(value) for value in range(top - size + 1, top + 1)]


def test_overlap_counts_annotators_who_knew() -> None:
    progress = Progress([answer("Anna", GRID, 0), answer("Bert", SINGLES[0], 1, decision="skip", label="")])
    assert GRID.id not in ids(progress, "Anna")
    assert GRID.id not in ids(progress, "Bert")
    assert GRID.id in ids(progress, "Bert", overlap=2)
    assert SINGLES[0].id not in ids(progress, "Bert")
    assert SINGLES[0].id in ids(progress, "Anna")


def test_what_is_on_another_screen_is_held_for_a_while() -> None:
    progress = Progress([Shown("Anna", GRID.id, NOW.isoformat())])
    assert GRID.id not in ids(progress, "Bert")
    assert GRID.id in ids(progress, "Anna")
    assert GRID.id in ids(progress, "Bert", overlap=2)
    assert GRID.id in ids(progress, "Bert", now=NOW + HELD)


def test_excluded_images_come_back_to_the_same_annotator_some_answers_later() -> None:
    events = [answer("Anna", GRID, 0, excluded=("b",))]
    assert ids(Progress(events), "Anna")[-1] == "again:b"
    assert not any(unit.startswith("again") for unit in ids(Progress(events), "Bert", overlap=2))
    events += [answer("Anna", unit, number) for number, unit in enumerate(SINGLES[:PAUSE], 1)]
    assert ids(Progress(events), "Anna")[0] == "again:b"
    again = single_unit(PROPOSALS["b"], "", "again")
    events.append(answer("Anna", again, 30, proposals=("",)))
    assert "again:b" not in ids(Progress(events), "Anna")


def test_mixed_grids_come_back_whole_and_unsure_ones_do_not() -> None:
    mixed = Progress([answer("Anna", GRID, 0, decision="mixed", label="")])
    assert ids(mixed, "Anna")[-3:] == ["again:a", "again:b", "again:c"]
    unsure = Progress([answer("Anna", GRID, 0, decision="skip", label="")])
    assert not any(unit.startswith("again") for unit in ids(unsure, "Anna"))


def test_images_chosen_on_the_map_are_asked_no_more() -> None:
    chosen = answer("Anna", GRID, 0, unit="selection", images=("a", "s3"), proposals=("", ""))
    progress = Progress([chosen])
    units = open_units([GRID, *SINGLES], PROPOSALS, progress, "Anna", 1, NOW)
    assert next(unit for unit in units if unit.grid).images == ("b", "c")
    assert SINGLES[3].id not in [unit.id for unit in units]
    assert SINGLES[3].id not in ids(progress, "Bert")
    assert SINGLES[3].id in ids(progress, "Bert", overlap=2)


def test_undo_leaves_nothing_of_an_answer() -> None:
    given = [answer("Anna", SINGLES[0], 0), answer("Anna", GRID, 1, excluded=("b",))]
    events = [*given, Undo("u1", "Anna", "Anna-1", NOW.isoformat())]
    assert ids(Progress(events), "Anna") == ids(Progress(given[:1]), "Anna")
    assert Progress(events).standing() == given[:1]
    assert Progress(events).counts[GRID.id] == 0
