"""F1 against d, a point for each run (paper, Figure 6)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from training.report.setup_rows import RunRow, order_methods, order_setups
from web.canvas import class_colours, new_figure

MARKERS = "osD^vP*X"
BASELINE_MARKER = "+"


def draw_scatter(rows: Sequence[RunRow]) -> Figure:
    """Each run by F1 and d in percent: colour = method, marker = variant and sorting; best is the lower right corner.

    Degenerate runs are hollow; crosses are the fair baselines. Grey lines join points of equal d - F1.
    """
    methods = order_methods(rows)
    setups = [next(row.setup for row in rows if (row.variant, row.sorting) == setup) for setup in order_setups(rows)]
    colours = dict(zip(methods, class_colours(len(methods)), strict=True))
    markers = {setup: MARKERS[place % len(MARKERS)] for place, setup in enumerate(setups)}
    figure = new_figure(9.5, 6.2)
    axes = figure.add_axes((0.08, 0.1, 0.66, 0.82))
    for row in rows:
        colour = colours[row.method]
        face = "none" if row.degenerate else colour
        axes.plot(100 * row.f1, 100 * row.d, markers[row.setup], ms=8, mec=colour, mfc=face, mew=1.4, alpha=0.85)
        if row.baseline_f1 is not None and row.baseline_d is not None:
            axes.plot(100 * row.baseline_f1, 100 * row.baseline_d, BASELINE_MARKER, ms=10, mec=colour, mew=1.8)
    axes.margins(0.08)
    _draw_lines_of_equal_score(axes)
    axes.set_xlabel("F1 on images predicted certain, percent (more is better)")
    axes.set_ylabel("inner distance d, percent (less is better)")
    axes.set_title("One point a run; grey lines: equal d − F1, better to the lower right", size=11)
    handles = [Line2D([], [], color=colours[name], marker="s", ls="", label=name) for name in methods]
    handles += [Line2D([], [], color="0.2", marker=markers[name], ls="", label=name) for name in setups]
    if any(row.baseline_f1 is not None for row in rows):
        handles.append(Line2D([], [], color="0.2", marker=BASELINE_MARKER, ms=9, ls="", label="fair baseline (no DC3)"))
    if any(row.degenerate for row in rows):
        handles.append(Line2D([], [], mec="0.2", mfc="none", marker="o", ls="", label="hollow: degenerate"))
    figure.legend(handles=handles, loc="center left", bbox_to_anchor=(0.75, 0.5), frameon=False, fontsize=10)
    return figure


def _draw_lines_of_equal_score(axes: Axes, step: float = 10.0) -> None:
    """Diagonals every ten points of d - F1 over the part of the plane that is shown."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x = np.array([left, right])
    for score in np.arange(np.floor((bottom - right) / step) * step, top - left + step, step):
        axes.plot(x, x + score, color="0.88", linewidth=0.8, zorder=0)
    axes.set(xlim=(left, right), ylim=(bottom, top))
