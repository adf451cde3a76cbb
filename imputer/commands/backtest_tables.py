"""What ``imputer backtest`` shows: figures beside their bars, and of the model tier tables by domain and attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imputer.evaluate.backtests import Backtests
    from imputer.evaluate.figures import Figure

TITLES = {
    "resolution": "Resolution: job title → unit group → OaSIS profile",
    "hierarchical": "Tier 1, hierarchical: values inherited from OaSIS profiles and unit groups",
    "onet": "Tier 2, O*NET: OaSIS ratings estimated for unit groups left out",
    "llm": "Tier 3, model: known values hidden and asked",
}

#: Columns of a file or pipe, which has no width of its own.
_WIDTH = 140
_NAMES = {
    "model": "Model",
    "neighbours": "Similar titles",
    "class_mean": "NOC class",
    "global_mean": "Mean of all",
}


def print_figures(found: Backtests) -> None:
    """Print one table per tier, then the figures that miss their bar."""
    console = _console()
    for tier, title in TITLES.items():
        figures = [figure for figure in found.figures if figure.tier == tier]
        if figures:
            console.print(_table(title, figures))
    for figure in found.missed:
        console.print(f"Not reached: {figure.tier}, {figure.name}: {_shown(figure, figure.value)}", style="red")


def print_model(details: dict[str, Any], *, attributes: bool) -> None:
    """Print the tables of the model tier: by domain, and by attribute where wanted."""
    console = _console()
    methods = details["methods"]
    console.print(_by(details["domains"], methods, "By domain", lambda row: f"{row['system']}, {row['domain']}"))
    if attributes:
        console.print(_by(details["attributes"], methods, "By attribute", lambda row: row["attribute_id"]))
    console.print(
        f"Hidden: {details['cells']:,} cells of {details['titles']:,} job titles, {details['titles_untold']:,} of them "
        f"asked without their unit group; seed {details['seed']}, run {details['run_id']}.",
        highlight=False,
    )
    if model := details["model"]:
        named = ", ".join(model["answered_as"]) or "nobody"
        console.print(
            f"Model {model['asked']}, answered as {named}; {model['cost_usd']:.4f} USD for all its backtests so far.",
            highlight=False,
        )


def _by(rows: Iterable[dict[str, Any]], methods: list[str], title: str, name: Any) -> Table:  # noqa: ANN401
    """Error and share right per method; skill is told by the figures."""
    table = Table(title=f"{title}: error in share of the scale, and right", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("Cells", justify="right", no_wrap=True)
    for method in methods:
        table.add_column(_NAMES[method], justify="right")
        table.add_column("right", justify="right", no_wrap=True)
    for row in rows:
        shown = [name(row), f"{row['asked']:,}"]
        for method in methods:
            told = row["methods"][method]
            shown += [_percent(told["error"]), _percent(told["right"])]
        table.add_row(*shown)
    return table


def _table(title: str, figures: Iterable[Figure]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name, justify in (("Measured", "left"), ("Value", "right"), ("95 % interval", "right"), ("Bar", "right")):
        table.add_column(name, justify=justify, no_wrap=name != "Measured")  # type: ignore[arg-type]
    table.add_column("", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for figure in figures:
        bar = "" if figure.bar is None else f"{'≥' if figure.at_least else '≤'} {_shown(figure, figure.bar)}"
        reached = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[figure.reached]
        name = f"{figure.name} [dim]({figure.note})[/]" if figure.note else figure.name
        interval = f"{_shown(figure, figure.low)} – {_shown(figure, figure.high)}"
        table.add_row(name, _shown(figure, figure.value), interval, bar, reached, f"{figure.n:,}")
    return table


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def _shown(figure: Figure, value: float) -> str:
    return f"{100 * value:.1f} %" if figure.percent else f"{value:.3f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
