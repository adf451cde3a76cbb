"""The pictures, as SVG: the same figures give the same bytes, on any day."""

from __future__ import annotations

from io import StringIO
from textwrap import fill
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from imputer.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# Told apart in print and by colour-blind eyes: lightness falls, and each has a hatch of its own.
SHADES = {
    "AUTHORITATIVE": ("#26374a", ""),
    "ONET": ("#2e8bc0", "//"),
    "LLM": ("#b58900", ".."),
    "NEIGHBOURS": ("#d9c9a3", "xx"),
    "missing": ("#ffffff", ""),
}
_PLAIN = "#26374a"
_SECOND = "#c2571a"
_EDGE = "#333333"
_RULES: dict[Any, Any] = {
    "svg.hashsalt": "wiq",
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and enlarged
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
}
_WIDTH = 9.0  # inches
_BAR = 0.34
_MARGIN = 1.1
_LONGEST_LINE = 56  # characters of a name beside its bar
_MANY = 5  # parts in a legend, more than one line holds


def stacked_shares(
    names: Sequence[str], parts: Sequence[tuple[str, str, Sequence[float]]], axis: str, language: str
) -> str:
    """Bars from 0 to 1, one per name, first on top; ``parts`` are shade, label and share per name."""

    def draw(axes: Axes) -> None:
        start = [0.0] * len(names)
        for shade, label, shares in parts:
            colour, hatch = SHADES[shade]
            axes.barh(names, shares, left=start, color=colour, hatch=hatch, edgecolor=_EDGE, linewidth=0.5, label=label)
            start = [before + share for before, share in zip(start, shares, strict=True)]
        axes.margins(y=0.01)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share, language, 0)))
        axes.invert_yaxis()
        axes.set_xlabel(axis)
        # Over the whole picture: beside long names the bars have not the width for it.
        axes.figure.legend(loc="outside upper right", ncols=len(parts) if len(parts) < _MANY else 3, frameon=False)

    return _single(draw, _MARGIN + 0.4 + _BAR * len(names))


def bars(names: Sequence[str], counts: Sequence[float], axis: str, language: str) -> str:
    """One bar per name with its count at the end, first on top."""

    def draw(axes: Axes) -> None:
        drawn = axes.barh(names, counts, color=_PLAIN, height=0.6)
        axes.bar_label(drawn, [number(count, language) for count in counts], padding=4)
        axes.invert_yaxis()
        axes.set_xlabel(axis)
        axes.margins(x=0.12)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: number(count, language)))

    return _single(draw, _MARGIN + _BAR * max(len(names), 2))


def histograms(
    panels: Sequence[tuple[str, Sequence[int], Sequence[int]]],
    labels: tuple[str, str],
    axes_labels: tuple[str, str],
    language: str,
) -> str:
    """Two distributions from 0 to 1 per panel, as shares of their own total: the first filled, the second a line."""

    def draw(figure: Figure) -> None:
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, first, second) in zip(grid, panels, strict=True):
            edges = [place / len(first) for place in range(len(first) + 1)]
            axes.stairs(_shares(first), edges, fill=True, color="#9bb8d3", label=labels[0])
            if any(second):
                axes.stairs(_shares(second), edges, color=_SECOND, linewidth=1.8, label=labels[1])
            axes.set_title(name, loc="left", fontsize=10)
            axes.yaxis.set_major_locator(MaxNLocator(3))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share, language, 0)))
            axes.set_ylabel(axes_labels[1])
        # One legend for all panels, with both kinds even where the first panel has but one.
        handles = {
            label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(list(handles.values()), list(handles), loc="outside upper right", ncols=2, frameon=False)
        grid[-1].set_xlim(0, 1)
        grid[-1].set_xlabel(axes_labels[0])
        grid[-1].xaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share, language, 0)))

    return _drawn(draw, 0.6 + 1.7 * len(panels))


def dots(names: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]], axis: str, language: str) -> str:
    """Dots on one line per name, first on top: the first series filled, the others hollow."""

    def draw(axes: Axes) -> None:
        places = list(range(len(names)))
        for place, (label, values) in enumerate(series):
            known = [(value, at) for value, at in zip(values, places, strict=True) if value is not None]
            axes.plot(
                [value for value, _ in known],
                [at for _, at in known],
                linestyle="none",
                marker="os^"[place],
                markersize=5,
                color=_PLAIN if place == 0 else _SECOND,
                markerfacecolor=_PLAIN if place == 0 else "white",
                label=label,
            )
        axes.set_yticks(places, names, fontsize=8)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, language)))
        axes.set_xlabel(axis)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(series), frameon=False)

    return _single(draw, _MARGIN + 0.4 + 0.19 * len(names))


def intervals(
    names: Sequence[str],
    values: Sequence[tuple[float, float, float, float | None]],
    labels: tuple[str, str],
    language: str,
) -> str:
    """Shares with their interval on one line per name; ``values`` are value, low, high and bar (a tick across)."""

    def draw(axes: Axes) -> None:
        for place, (value, low, high, bar) in enumerate(values):
            # Not clipped: at 0 or 100 % half of a marker lies outside.
            axes.plot([low, high], [place, place], color=_PLAIN, linewidth=1.6, clip_on=False)
            axes.plot([value], [place], marker="o", color=_PLAIN, markersize=6, clip_on=False)
            if bar is not None:
                axes.plot([bar, bar], [place - 0.35, place + 0.35], color=_SECOND, linewidth=2.4, clip_on=False)
        if any(bar is not None for *_, bar in values):
            axes.plot([], [], color=_SECOND, linewidth=2.4, label=labels[1])
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        axes.set_yticks(range(len(names)), [fill(name, _LONGEST_LINE) for name in names], fontsize=8)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share, language, 0)))
        axes.set_xlabel(labels[0])

    return _single(draw, _MARGIN + 0.4 + 0.4 * len(names))


def reliability(
    panels: Sequence[tuple[str, Sequence[tuple[float, float]], Sequence[tuple[float, float]]]],
    labels: Sequence[str],
    language: str,
) -> str:
    """Share right against confidence, one square panel per method with stated and calibrated points.

    ``labels`` name the two curves, the diagonal on which both are equal, and the two axes.
    """

    def draw(figure: Figure) -> None:
        grid = figure.subplots(1, max(len(panels), 2), sharey=True, squeeze=False)[0]
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        for axes, (name, stated, calibrated) in zip(grid, panels, strict=False):
            axes.plot([0, 1], [0, 1], color=_EDGE, linestyle=":", linewidth=1, label=labels[2])
            filled = {"color": _PLAIN, "marker": "o", "linewidth": 1}
            hollow = {"color": _SECOND, "marker": "s", "linewidth": 1.6, "markerfacecolor": "white"}
            for points, label, look in ((stated, labels[0], filled), (calibrated, labels[1], hollow)):
                axes.plot(*_columns(points), label=label, markersize=5, clip_on=False, zorder=3, **look)
            axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel=labels[3])
            axes.set_title(name, loc="left", fontsize=10)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda share, _: percent(share, language, 0)))
        grid[0].set_ylabel(labels[4])
        handles, names = grid[0].get_legend_handles_labels()
        # Room is made for the legend's own height alone: what moves it down puts it on the panels' titles.
        figure.legend(handles, names, loc="outside upper left", ncols=3, frameon=False, borderaxespad=0, borderpad=0.8)

    return _drawn(draw, 4.8)


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _single(draw: Any, height: float) -> str:  # noqa: ANN401 (takes axes)
    return _drawn(lambda figure: draw(figure.subplots()), height)


def _drawn(draw: Any, height: float) -> str:  # noqa: ANN401 (takes a figure)
    written = StringIO()
    with rc_context(_RULES):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()
