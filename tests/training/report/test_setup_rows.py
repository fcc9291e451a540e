"""Figures of the comparison against hand-computed ones, and its three renderings."""

import io
import math
import re

import numpy as np
import pandas as pd
import pytest

from training.report.paper_figures import is_papers_data, paper_figures
from training.report.scatter import draw_scatter
from training.report.setup_rows import RunRow, SetupRow, summarise
from training.report.setup_tables import make_csv, make_markdown, make_text
from web.canvas import draw_png


def row(method: str, variant: str, seed: int, f1: float, d: float, **changes: object) -> RunRow:
    values = {"ambiguous_share": 0.5, "degenerate": False, "auroc": 0.7, "seconds": 10.0, "right": f1 - d} | changes
    return RunRow(method, variant, seed, f"{method}-{variant}-{seed}", f1, d, d - f1, **values)


def with_baseline(row_: RunRow, f1: float, d: float) -> RunRow:
    return row_._replace(
        baseline_right=f1 - d,
        baseline_f1=f1,
        baseline_d=d,
        baseline_d_minus_f1=d - f1,
        baseline_auroc=0.6,
        flat_d=d + 0.1,
        flat_d_minus_f1=d + 0.1 - f1,
        flat_right=f1 - d - 0.1,
    )


ROWS = [
    row("fixmatch", "dc3", 0, 0.80, 0.50),
    row("fixmatch", "dc3", 1, 0.70, 0.20, ambiguous_share=0.6),
    row("fixmatch", "dc3", 2, 0.99, 0.01, degenerate=True),
    row("fixmatch", "vanilla", 0, 0.75, 0.45, auroc=None, ambiguous_share=0.0),
]


def test_best_is_the_run_with_most_right_proposals_whatever_its_d() -> None:
    rows = [row("fixmatch", "dc3", 0, 0.8, 0.1, right=0.164), row("fixmatch", "dc3", 1, 0.7, 0.6, right=0.406)]
    (dc3,) = summarise(rows)
    assert (dc3.best_run_id, dc3.right.best, dc3.f1.best) == ("fixmatch-dc3-1", 0.406, 0.7)
    assert dc3.right.mean == pytest.approx(0.285)
    assert summarise(rows, by="d_minus_f1")[0].best_run_id == "fixmatch-dc3-0"


def test_by_right_proposals_a_degenerate_run_is_like_any_other_and_still_counted() -> None:
    (dc3,) = summarise(ROWS[:3])
    assert (dc3.best_run_id, dc3.n_runs, dc3.n_degenerate) == ("fixmatch-dc3-2", 2, 1)
    (lost,) = summarise([one._replace(right=None) for one in ROWS[:2]])
    assert (lost.best_run_id, lost.f1.mean) == ("", pytest.approx(0.75))


def test_best_by_the_paper_is_the_run_with_the_lowest_d_minus_f1_and_not_degenerate() -> None:
    vanilla, dc3 = summarise(ROWS, by="d_minus_f1")
    assert (vanilla.variant, dc3.variant) == ("vanilla", "dc3")
    assert (dc3.best_run_id, dc3.n_runs, dc3.n_degenerate) == ("fixmatch-dc3-1", 2, 1)
    assert (dc3.f1.best, dc3.d.best, dc3.ambiguous_share.best) == (0.70, 0.20, 0.6)


def test_mean_and_std_leave_degenerate_runs_out_and_divide_by_n_minus_one() -> None:
    dc3 = summarise(ROWS, by="d_minus_f1")[1]
    assert dc3.f1.mean == pytest.approx(0.75)
    assert dc3.f1.std == pytest.approx(math.sqrt(2 * 0.05**2 / 1))
    assert dc3.d_minus_f1.mean == pytest.approx(-0.4)


def test_std_of_a_single_run_is_undefined_as_in_the_paper() -> None:
    vanilla = summarise(ROWS)[0]
    assert math.isnan(vanilla.f1.std)
    assert math.isnan(vanilla.auroc.best)


def test_a_setup_with_degenerate_runs_only_has_a_line_without_figures() -> None:
    (only,) = summarise([ROWS[2]], by="d_minus_f1")
    assert (only.best_run_id, only.n_runs, only.n_degenerate) == ("", 0, 1)
    assert math.isnan(only.f1.best)
    assert "0+1" in make_text([only])


def test_baseline_has_a_best_run_of_its_own() -> None:
    rows = [with_baseline(ROWS[0], 0.9, 0.3), with_baseline(ROWS[1], 0.6, 0.3), with_baseline(ROWS[2], 1.0, 0.0)]
    (dc3,) = summarise(rows, by="d_minus_f1")
    assert (dc3.best_run_id, dc3.baseline_f1.best, dc3.baseline_d.best) == ("fixmatch-dc3-1", 0.9, 0.3)
    assert dc3.baseline_f1.mean == pytest.approx(0.75)


def test_several_methods_get_a_line_over_all_of_them() -> None:
    table = summarise([*ROWS, row("supervised", "dc3", 0, 0.6, 0.3)], by="d_minus_f1")
    pooled = [line for line in table if line.method == "all"]
    assert [(line.variant, line.n_runs) for line in pooled] == [("vanilla", 1), ("dc3", 3)]
    assert pooled[1].f1.mean == pytest.approx(0.7)


def test_the_papers_figures_stand_beside_ours_where_it_has_some() -> None:
    vanilla, dc3 = summarise(ROWS, "cifar10h")
    assert (dc3.paper.f1, dc3.paper.d, dc3.paper.d_minus_f1) == pytest.approx((0.8309, 0.4949, -0.3360))
    assert vanilla.paper.f1 == pytest.approx(0.7809)
    assert summarise(ROWS, "digits")[0].paper is None
    assert summarise([row("mixmatch", "dc3", 0, 0.8, 0.4)], "cifar10h")[0].paper is None


def test_the_papers_mean_over_methods_stands_beside_its_own_methods_alone() -> None:
    theirs = [*ROWS, row("supervised", "dc3", 0, 0.6, 0.3)]
    with_another = [*theirs, row("flexmatch", "dc3", 0, 0.6, 0.3)]
    for rows, stands in ((theirs, True), (with_another, False)):
        pooled = next(line for line in summarise(rows, "turkey") if (line.method, line.variant) == ("all", "dc3"))
        assert (pooled.paper is not None) is stands


def test_the_papers_figures_stand_beside_the_papers_data_alone() -> None:
    """By size and classes: a preset is no data, and 2,500 of the images, or other classes, are others' figures."""
    cifar = ("cat", "airplane", "automobile", "bird", "deer", "dog", "frog", "horse", "ship", "truck")
    assert is_papers_data("cifar10h", 10_000, cifar)
    assert not is_papers_data("cifar10h", 2_500, cifar)
    assert not is_papers_data("cifar10h", 10_000, (*cifar[1:], "owl"))
    assert not is_papers_data("cifar10h", 10_000, cifar[1:])
    assert is_papers_data("plankton", 12_280, tuple("abcdefghij"))
    assert not is_papers_data("stl10", 13_000, cifar)
    assert not is_papers_data("", 10_000, cifar)


def test_paper_figures_come_from_the_right_table_and_prior() -> None:
    table2 = paper_figures("plankton", "mean_teacher", "dc3")
    assert (table2.f1, table2.source) == (pytest.approx(0.9130), "Table 2")
    assert math.isnan(table2.f1_mean)
    assert paper_figures("cifar10h", "mean_teacher", "cc").d == pytest.approx(0.8657)
    assert paper_figures("cifar10h", "mean_teacher", "dc3").f1_mean == pytest.approx(0.7066)
    assert paper_figures("turkey", "all", "dc3").f1 == pytest.approx(0.8743)
    assert math.isnan(paper_figures("stl10", "fixmatch", "dc3").d)
    assert paper_figures("plankton", "mean_teacher", "cc") is None


def make_full_table(sortings: tuple[str, ...] = ("network",)) -> list[SetupRow]:
    runs = [
        row(method, variant, seed, 0.9, 0.7 + seed / 100, d_weighted=0.8, purity_left_out=0.5, sorting=sorting)
        for method in ("mean_teacher", "pseudo_label")
        for variant in ("vanilla", "inverse_ce", "dc3_guided")
        for seed in range(3)
        for sorting in sortings
    ]
    rows = [with_baseline(one, 0.6, 0.3) if one.sorting == "network" else one for one in runs]
    return summarise(rows, "cifar10h")


@pytest.mark.parametrize("sortings", [("network",), ("network", "confidence")])
def test_text_fits_100_columns_and_is_aligned(sortings: tuple[str, ...]) -> None:
    text = make_text(make_full_table(sortings))
    assert max(map(len, text.splitlines())) <= 100
    assert ("sorted by: what decides" in text) is (len(sortings) > 1)
    blocks = re.split("Right proposals\\n|Clusters, by|The paper's measures|Best run, beside", text)[1:]
    assert len(blocks) == 5
    for block in blocks:
        assert len({len(line) for line in block.splitlines() if line.startswith(("mean_", "pseudo_", "all "))}) == 1
    text = make_text(summarise(ROWS, by="d_minus_f1"), "d_minus_f1")
    assert "75.00 ± 7.07" in text
    assert "Best: the run with the lowest d-F1" in text
    assert "different validation images" not in text
    assert "Runs of different seeds are measured on different validation images" in make_text(
        make_full_table(), n_seeds=3
    )
    assert "2+1" in text
    assert "Without DC3" not in text
    assert "Paper" not in text


def test_markdown_tables_have_as_many_cells_in_each_line() -> None:
    blocks = [block.splitlines() for block in make_markdown(make_full_table()).split("\n\n") if block.startswith("|")]
    assert len(blocks) == 5
    for lines in blocks:
        assert len({line.count("|") for line in lines}) == 1
    assert "paper d-F1" in blocks[4][0]
    assert "base d-F1 | base AUROC | flat d | flat d-F1 |" in blocks[3][0]
    assert blocks[0][0].startswith("| method | variant | right | mean ± std | base | flat | chance | common | ambig. |")
    assert blocks[1][0] == "| method | variant | purity | mean ± std | d by images | mean ± std | d' | mean ± std |"
    assert " | 50.00 | 50.00 ± 0.00 | 80.00 | 80.00 ± 0.00 | " in blocks[1][2]


def test_each_sorting_has_a_line_of_its_own_and_the_papers_figures_stand_by_its_own() -> None:
    rows = [*ROWS, *(one._replace(sorting="confidence", f1=one.f1 + 0.1) for one in ROWS)]
    table = summarise(rows, "cifar10h", by="d_minus_f1")
    assert [(line.variant, line.sorting) for line in table] == [
        *(("vanilla", "network"), ("vanilla", "confidence")),
        *(("dc3", "network"), ("dc3", "confidence")),
    ]
    assert [line.f1.mean for line in table[2:]] == pytest.approx([0.75, 0.85])
    assert [line.paper is not None for line in table] == [True, False, True, False]
    assert "| dc3 | confidence | " in make_markdown(table)
    assert pd.read_csv(io.StringIO(make_csv(table)))["sorting"].tolist() == ["network", "confidence"] * 2
    markers = {line.get_marker() for line in draw_scatter(rows).axes[0].lines} - {"None", None}
    assert len(markers) == 4


def test_csv_has_every_figure_in_percent() -> None:
    table = pd.read_csv(io.StringIO(make_csv(summarise(ROWS, "cifar10h", "d_minus_f1"))))
    dc3 = table[table["variant"] == "dc3"].iloc[0]
    assert (dc3["f1_best"], dc3["f1_mean"], dc3["seconds_mean"]) == (70.0, 75.0, 10.0)
    assert (dc3["paper_f1"], dc3["n_degenerate"]) == (83.09, 1)
    assert np.isnan(dc3["baseline_f1_best"])


def test_scatter_has_a_point_for_each_run_and_baseline() -> None:
    figure = draw_scatter([with_baseline(ROWS[0], 0.9, 0.3), *ROWS[1:]])
    points = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", None)]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in points] == [
        pytest.approx(point) for point in [(80, 50), (90, 30), (70, 20), (99, 1), (75, 45)]
    ]
    assert [line.get_markerfacecolor() == "none" for line in points] == [False, False, False, True, False]
    assert len({line.get_marker() for line in points}) == 3
    assert draw_png(figure, 30)
