"""``imputer explain``: where one value came from."""

from __future__ import annotations

from dataclasses import replace

import click
import orjson

from imputer.printing import show
from imputer.settings import read_settings
from imputer.wording import LANGUAGES


@click.command()
@click.argument("entity")
@click.argument("attribute")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the answer."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
def explain(entity: str, attribute: str, language: str, *, as_json: bool) -> None:
    """Show the whole chain of one cell: value, source row or address, evidence, losers and changes.

    ENTITY is a job title, family or function: its id, or its exact name in English or French. ATTRIBUTE likewise:
    its id in dim_attribute, or its name; of several systems that use one name, OaSIS is meant. Case does not count.

    \b
    Examples:
      imputer explain 412 Writing
      imputer explain "Graphic Designer" oasis.skills.writing
      imputer explain 412 Rédaction --language fr
      imputer explain 412 onet.2.A.1.c.LV --json | jq '.cells[0].winner.evidence'

    Exit status: 0 shown (also where the cell is empty), 1 there is no finished run, 2 unknown or ambiguous name.
    """  # noqa: D301 (click reads the backspace)
    from imputer.batch.told import question_told  # noqa: PLC0415 (DuckDB and Arrow; --help does not need them)
    from imputer.explain.chain import trace  # noqa: PLC0415
    from imputer.explain.layout import render  # noqa: PLC0415
    from imputer.finished import open_latest  # noqa: PLC0415

    root = read_settings().root
    with open_latest(root) as run:
        chain = trace(run, entity, attribute, language)
    asked = {cell.winner["custom_id"] for cell in chain.cells if cell.winner and cell.winner["custom_id"]}
    told = {key: question_told(root, key, chain.attribute["attribute_id"]) for key in sorted(asked)}
    chain = replace(chain, questions={key: found for key, found in told.items() if found})
    if as_json:
        click.echo(orjson.dumps(chain.as_record(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
        return
    show(render(chain, language))
