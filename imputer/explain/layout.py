"""The chain of a cell as people read it: a headline, then one block per question they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table

from imputer.explain.figures import shown_confidence, shown_interval, shown_scale, shown_value
from imputer.explain.finding import name_of
from imputer.explain.prose import Prose
from imputer.explain.reasons import coded, evidence_lines, place, rationale, resolution_rationale
from imputer.tiers.hierarchical import UNIT_GROUP_ONLY
from imputer.wording import labels, moment, number, percent, quote, text, word

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imputer.explain.chain import Cell, Chain
    from imputer.explain.reasons import Names

_HEADING = "bold cyan"
_INDENT = 2
_SHORT_ID = 12

# Only job titles have wide rows.
_IN_GOLD = {"job_title": "in_gold", "job_family": "in_gold_values", "job_function": "in_gold_values"}

_Line = tuple[str, str | None]


def render(chain: Chain, language: str) -> Group:
    """Everything that the run holds about the cell, for a rich console."""
    blocks: list[RenderableType] = [_headline(chain, language)]
    for cell in chain.cells:
        blocks += _cell(chain, cell, language)
    if chain.resolution:
        blocks += [_heading("heading_resolution", language), _lines(_resolution(chain.resolution, language))]
    for cell in chain.cells:
        blocks += _others(chain, cell, language)
    return Group(*blocks)


def _headline(chain: Chain, language: str) -> RenderableType:
    entity, attribute = chain.entity, chain.attribute
    kind = word("entity_type", entity["entity_type"], language)
    title = Prose(f"{kind} {entity['entity_id']} {quote(name_of(entity, language), language)}", style="bold")
    other = "fr" if language == "en" else "en"
    if entity[f"name_{other}"]:
        title.append(f"  {entity[f'name_{other}']}", style="dim")
    named = f"{name_of(attribute, language)}  ({attribute['attribute_id']})"
    lines: list[_Line] = [
        (text("attribute", language), named),
        (text("domain", language), _domain(attribute, language)),
    ]
    if attribute["value_type"] == "number":
        lines.append((text("scale", language), shown_scale(attribute, language)))
    if chain.namesakes:
        lines.append(("", text("also_named", language, choices=", ".join(chain.namesakes))))
    return Group(title, _lines(lines))


def _domain(attribute: dict[str, Any], language: str) -> str:
    return f"{word('system', attribute['system'], language)}, {word('domain', attribute['domain'], language)}"


def _cell(chain: Chain, cell: Cell, language: str) -> list[RenderableType]:
    if cell.winner is None:
        return [_heading_of("heading_gap", chain, cell, language), _lines(_missing(chain, cell, language))]
    winner = cell.winner
    return [
        _heading_of("heading_value", chain, cell, language),
        _lines(_value(chain, winner, language)),
        _heading("heading_source", language),
        _lines(_source(chain, winner, language)),
        _heading("heading_evidence", language),
        *(_indented(line, depth) for depth, line in evidence_lines(winner["evidence"], language, chain.names)),
        *_question(chain, winner, language),
    ]


def _question(chain: Chain, winner: dict[str, Any], language: str) -> list[RenderableType]:
    """What the model was told, word for word: how this attribute is to be answered, then what it was asked about."""
    told = chain.questions.get(winner["custom_id"])
    if told is None:
        return []
    lines = [*told.cells, "", *told.question.splitlines()]
    return [_heading("heading_question", language), *(_indented(line, 0) for line in lines)]


def _others(chain: Chain, cell: Cell, language: str) -> list[RenderableType]:
    """What lost, what was withdrawn, and how the winner changed."""
    blocks: list[RenderableType] = []
    beaten = "heading_losers" if cell.winner else "heading_standing"
    for key, statements in ((beaten, cell.losers), ("heading_withdrawn", cell.withdrawn)):
        if statements:
            blocks.append(_heading_of(key, chain, cell, language, count=len(statements)))
            for statement in statements:
                blocks += [
                    _indented(_one_line(chain.attribute, statement, language), 0),
                    _lines(_other(chain, statement, language), indent=2 * _INDENT),
                ]
    if cell.events:
        blocks.append(_heading_of("heading_events", chain, cell, language, count=len(cell.events)))
        blocks += [_indented(_event(chain.attribute, event, language), 0) for event in cell.events]
    return blocks


def _missing(chain: Chain, cell: Cell, language: str) -> list[_Line]:
    if cell.gap is None:
        key = "no_statement" if chain.attribute["imputable"] else "not_imputable"
        return [(text("reason", language), text(key, language))]
    told = f"{cell.gap[f'reason_{language}']} ({cell.gap['reason']})"
    suppliers = [
        word("source_type", name, language)
        for name, column in (("AUTHORITATIVE", "authoritative"), ("ONET", "onet"))
        if chain.attribute[column]
    ]
    # No source that is read has it, whatever else the attribute gets from sources.
    supply = None if cell.gap["reason"] in ("ENGLISH_ONLY", "NO_SOURCE") else ", ".join(suppliers) or "–"
    lines: list[_Line] = [(text("reason", language), told), (text("can_supply", language), supply)]
    if cell.gap["model_reason"]:
        lines.append((text("model_reason", language), cell.gap[f"model_reason_{language}"]))
    return lines


def _value(chain: Chain, winner: dict[str, Any], language: str) -> list[_Line]:
    kind = word("source_type", winner["source_type"], language)
    return [
        (text("value", language), shown_value(winner, chain.attribute, language)),
        (text("source_type", language), f"{kind} ({winner['source_type']})"),
        (text("method", language), f"{word('method', winner['method'], language)} ({winner['method']})"),
        (text("confidence", language), shown_confidence(winner, chain.attribute, language)),
        (text("interval_90", language), shown_interval(winner, language)),
        (text("why", language), rationale(winner, language, chain.names)),
        (text("statement", language), f"{winner['statement_id']}, {text(_IN_GOLD[winner['entity_type']], language)}"),
        (text("written", language), _written(chain, winner, language)),
        (text("retention", language), _retention(winner["retention_class"], language)),
        *_model(winner, language),
    ]


def _retention(name: str, language: str) -> str:
    """A class of the retention schedule; one that only a user's own schedule knows has no other name."""
    known = labels()["retention_class"].get(name)
    return f"{known[language]} ({name})" if known else name


def _other(chain: Chain, statement: dict[str, Any], language: str) -> list[_Line]:
    source = chain.sources.get(statement["source_id"])
    title = source[f"title_{language}"] if source else statement["source_id"]
    lines: list[_Line] = [
        (text("why", language), rationale(statement, language, chain.names)),
        (text("locator", language), f"{text('colon', language, label=title)} {place(statement['locator'], language)}"),
        (text("written", language), _written(chain, statement, language)),
        (text("statement", language), statement["statement_id"]),
        *_model(statement, language),
    ]
    if statement["action"]:
        changed = text(
            "withdrawn_by",
            language,
            action=word("action", statement["action"], language),
            time=moment(statement["changed_at"]),
            run=statement["changed_run_id"],
        )
        lines.append(("", changed))
    return lines


def _source(chain: Chain, winner: dict[str, Any], language: str) -> list[_Line]:
    source = chain.sources.get(winner["source_id"])
    lines: list[_Line] = [(text("locator", language), place(winner["locator"], language))]
    version = winner["source_version"]
    if source is None:
        return [(text("source_type", language), winner["source_id"]), *lines, (text("version", language), version)]
    if version and source["source_version"] not in (None, version):
        version = text("version_changed", language, version=version, current=source["source_version"])
    title = f"{source[f'title_{language}']} ({winner['source_id']})"
    release = f", {source['release']}" if source["release"] else ""
    licence = source[f"licence_{language}"]
    return [
        (text("source_type", language), f"{title}{release}"),
        *lines,
        (text("file", language), source["path"]),
        (text("version", language), version),
        (text("address", language), source["url"]),
        (text("page", language), source["page_url"]),
        (text("publisher", language), source[f"publisher_{language}"]),
        (text("licence", language), f"{licence}, {source['licence_url']}" if source["licence_url"] else licence),
        (text("attribution", language), source[f"attribution_{language}"]),
    ]


def _resolution(found: dict[str, Any], language: str) -> list[_Line]:
    names, method = found["names"], found.get("method")
    unit_group = text("not_settled", language)
    if found.get("unit_group"):
        origin = "coded" if found["coded_unit_group"] == found["unit_group"] else "inferred"
        unit_group = f"{coded(found['unit_group'], language, names)}, {text(origin, language)}"
    profile = text("not_settled", language)
    if found.get("profile"):
        profile = coded(found["profile"], language, names)
    unlike = method in UNIT_GROUP_ONLY
    if unlike and found.get("profile"):
        profile = text("only_one" if found["only_profile"] else "candidate_only", language, profile=profile)
    runner_up = coded(found["runner_up"], language, names) if found.get("runner_up") else None
    if runner_up and found.get("margin") is not None:
        runner_up = f"{runner_up}, {text('margin', language, margin=number(found['margin'], language, 3))}"
    candidates = [
        f"{coded(one['unit_group'], language, names)} {number(one['score'], language, 3)}"
        for one in found.get("candidates") or []
    ]
    return [
        (text("unit_group", language), unit_group),
        (text("suspected", language), _suspected(found["suspected"], language, names)),
        (text("profile", language), profile),
        (text("method", language), f"{word('resolution_method', method, language)} ({method})" if method else None),
        (text("confidence", language), shown_confidence(found, None, language)),
        (text("nearest_text" if unlike else "matched_text", language), found.get("matched_text")),
        (text("runner_up", language), runner_up),
        (text("as_good", language), ", ".join(coded(one, language, names) for one in found.get("tied") or [])),
        (text("candidates", language), "\n".join(candidates) or None),
        (text("why", language), resolution_rationale(found, language)),
    ]


def _suspected(suspected: dict[str, Any] | None, language: str, names: Names) -> str | None:
    """Which unit group the title's text argues for, where that is another than the one it is coded to."""
    if suspected is None:
        return None
    other, matched = coded(suspected["suggested_unit_group"], language, names), suspected["matched_text"]
    if matched:
        return text("suspected_by_spelling", language, unit_group=other, matched=quote(matched, language))
    share = percent(suspected["confidence_calibrated"], language)
    return text("suspected_by_likelihood", language, unit_group=other, share=share)


def _one_line(attribute: dict[str, Any], statement: dict[str, Any], language: str) -> Prose:
    kind = word("source_type", statement["source_type"], language)
    line = Prose(shown_value(statement, attribute, language, short=True), style="bold")
    method, confidence = word("method", statement["method"], language), shown_confidence(statement, attribute, language)
    line.append(f"  {kind}, {method}, {confidence}", style="not bold")
    return line


def _event(attribute: dict[str, Any], event: dict[str, Any], language: str) -> str:
    def value(side: str) -> str:
        if event[f"{side}_statement_id"] is None:
            return text("no_value", language)
        if not event[f"{side}_known"]:
            return text("disposed_value", language)
        given = {"value_number": event[f"{side}_number"], "value_text": event[f"{side}_text"], "scale": None}
        kind = word("source_type", event[f"{side}_source_type"], language)
        return f"{shown_value(given, attribute, language, short=True)} ({kind})"

    return text(
        "event_line",
        language,
        time=moment(event["created_at"]),
        run=event["run_id"],
        old=value("old"),
        new=value("new"),
        reason=word("override_reason", event["reason"], language),
    )


def _written(chain: Chain, statement: dict[str, Any], language: str) -> str:
    run = chain.runs.get(statement["run_id"])
    time = moment(statement["created_at"])
    if run is None:
        return text("written_by", language, time=time, run=statement["run_id"])
    release = run["onet_release"] or "–"
    return text(
        "written_with", language, time=time, run=statement["run_id"], version=run["wiq_version"], release=release
    )


def _model(statement: dict[str, Any], language: str) -> list[_Line]:
    if statement["model"] is None:
        return []
    names = ("custom_id", "batch_id", "request_id", "attempt", "tokens", "prompt_sha256")
    request = ", ".join(f"{name} {statement[name]}" for name in names if statement[name] is not None)
    return [(text("model", language), statement["model"]), (text("request", language), request or None)]


def _heading_of(key: str, chain: Chain, cell: Cell, language: str, **given: object) -> RenderableType:
    """A heading of one cell; where there are several, with the language of its values."""
    heading = text(key, language, **given)
    if len(chain.cells) > 1:
        heading = text(
            "heading_in", language, heading=heading, language=word("value_language", cell.language, language)
        )
    return _heading_text(heading)


def _heading(key: str, language: str) -> RenderableType:
    return _heading_text(text(key, language))


def _heading_text(heading: str) -> RenderableType:
    return Prose(f"\n{heading}", style=_HEADING)


def _lines(lines: list[_Line], indent: int = _INDENT) -> RenderableType:
    """Labels in one column, what they say in the other; what has nothing to say is left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, told in lines:
        if told:
            grid.add_row(Prose(label), Prose(str(told)))
    return Padding(grid, (0, 0, 0, indent))


def _indented(line: str | Prose, depth: int) -> RenderableType:
    return Padding(Prose(line) if isinstance(line, str) else line, (0, 0, 0, _INDENT * (depth + 1)))
