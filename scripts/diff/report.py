"""The differences as Markdown for a pull request, and as JSON values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pfa import PfaError
from scripts.diff.behaviour import LARGEST, Behaviour, Numbers
from scripts.diff.schema import TypeChange
from scripts.diff.structure import Names, StoreChange, Structure

NAMES_SHOWN = 20
TYPES_SHOWN = 40
CLASSES_SHOWN = 8  # in a table with a column for each; more are listed
PAIRS_SHOWN = 20
ANSWER_CHARACTERS = 160
TEXT_CHARACTERS = 80
MESSAGE_CHARACTERS = 400

_ORDINARY = str.maketrans({"`": "'", "|": "\\|"})


@dataclass(slots=True)
class Difference:
    """All that is told of two documents and the rows of a file."""

    old_file: str
    new_file: str
    data_file: str
    row_word: str  # "line" or "item"
    types: list[TypeChange]
    breaking: list[str]  # what breaks callers, in the words of the gate
    structure: Structure
    behaviour: Behaviour
    picture: str | None = None  # file of the histogram

    @property
    def changes(self) -> bool:
        """Say whether anything changes for a caller: a type, or what a row gets."""
        return bool(self.types or self.behaviour.changed)


def markdown(found: Difference) -> str:
    """Give the report to read: it is fit for a terminal and for a comment."""
    head = f"## {code(found.old_file)} → {code(found.new_file)}"
    parts = [head, _verdict(found), *_types(found), *_structure(found.structure)]
    parts += _behaviour(found)
    if found.picture:
        parts.append(f"Histogram: {code(found.picture)}")
    return "\n\n".join(parts) + "\n"


def code(text: Any, limit: int = TEXT_CHARACTERS) -> str:
    """Text of a document, an answer or a file's name as one line of code that stays code."""
    told = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    told = told if len(told) <= limit else told[:limit] + "…"
    return f"`{one_line(told).translate(_ORDINARY) or ' '}`"


def one_line(text: str) -> str:
    """The text with its control characters made visible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def table(head: list[str], rows: Iterable[list[str]], right: int = 0) -> str:
    """A table; of its columns the last ``right`` hold numbers."""
    rule = ["---"] * (len(head) - right) + ["---:"] * right
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


def percent(part: int, whole: int) -> str:
    """A share in percent; 0 and 100 are said of none and all only."""
    told = f"{100 * part / whole:.2f}"
    if told == "0.00" and part:
        return "< 0.01 %"
    if told == "100.00" and part < whole:
        return "> 99.99 %"
    return f"{told.removesuffix('.00')} %"


def _verdict(found: Difference) -> str:
    rows, behaviour = found.behaviour.rows, found.behaviour
    if behaviour.changed:
        share = percent(behaviour.changed, rows)
        text = f"**{behaviour.changed:,} of {rows:,} rows change ({share}).**"
    else:
        text = f"**None of {rows:,} rows changes.**"
    if found.breaking:
        text += " **The types change, and callers may break.**"
    elif found.types:
        text += " The types change; no caller breaks."
    return text


def _types(found: Difference) -> list[str]:
    if not found.types:
        return ["### Types", "Input and output are the same."]
    rows = [
        [change.side, code(change.place or "/"), _or_none(change.old), _or_none(change.new)]
        for change in found.types[:TYPES_SHOWN]
    ]
    made = ["### Types", table(["", "where", "old", "new"], rows)]
    if len(found.types) > TYPES_SHOWN:
        made.append(f"And {len(found.types) - TYPES_SHOWN:,} more places.")
    if found.breaking:
        made.append(
            "Breaking:\n\n"
            + "\n".join(f"- {code(text, MESSAGE_CHARACTERS)}" for text in found.breaking)
        )
    else:
        made.append("Not breaking: what fits the old input fits the new, and so do the answers.")
    if any(change.side == "input" for change in found.types):
        it = found.behaviour
        if it.only_old_accepts or it.only_new_accepts or it.neither_accepts:
            takes = (
                f"Only the old one takes {it.only_old_accepts:,} of the rows, only the new one"
                f" {it.only_new_accepts:,}, neither {it.neither_accepts:,}."
            )
        else:
            takes = "Both take all of the rows."
        made.append(f"The models take different inputs. {takes}")
    return made


def _or_none(text: str | None) -> str:
    return "none" if text is None else code(text, 200)


def _structure(found: Structure) -> list[str]:
    lines = [f"- {fact}: {code(old)} → {code(new)}" for fact, (old, new) in found.facts.items()]
    for part, changed in found.expressions.items():
        lines.append(f"- {code(part)}: {'changed' if changed else 'the same'}")
    lines += _named("functions", found.functions)
    for kind, names in found.stores.items():
        lines += _named(kind, names)
    metadata = _named("metadata", found.metadata)
    if found.examples[0] != found.examples[1]:
        metadata.append(f"- examples: {found.examples[0]} → {found.examples[1]}")
    made = ["### Structure", "\n".join(lines + metadata)]
    for kind, changes in found.changes.items():
        for change in changes:
            made += _store(kind.removesuffix("s"), change)
    return made


def _named(what: str, names: Names) -> list[str]:
    told = [
        f"{how} {', '.join(map(code, some[:NAMES_SHOWN]))}"
        + (f" and {len(some) - NAMES_SHOWN} more" if len(some) > NAMES_SHOWN else "")
        for how in ("added", "removed", "changed")
        if (some := getattr(names, how))
    ]
    return [f"- {what}: {'; '.join(told)}"] if told else []


def _store(kind: str, change: StoreChange) -> list[str]:
    if change.what in (["added"], ["removed"]):
        first = f"**{kind} {code(change.name)}** ({change.what[0]}):"
    elif change.what != ["value"]:
        first = f"**{kind} {code(change.name)}**: {' and '.join(change.what)} changed."
    else:
        first = f"**{kind} {code(change.name)}**:"
    facts = []
    if change.forests and "value" in change.what:
        old, new = change.forests
        facts.append(f"{change.same_trees:,} of {max(old.trees, new.trees):,} trees are the same")
        for how, names in (("no more", change.fields_gone), ("new", change.fields_new)):
            if names:
                facts.append(f"{how} in splits: {', '.join(map(code, names[:NAMES_SHOWN]))}")
    if change.numbers:
        facts.append(f"{change.numbers_changed:,} of {change.numbers:,} numbers change")
    for count, word in (
        (change.texts_changed, "other values change"),
        (change.places_gone, "places go"),
        (change.places_new, "places come"),
    ):
        if count:
            facts.append(f"{count:,} {word}")
    made = [f"{first} {'; '.join(facts)}{'.' if facts else ''}".strip()]
    if change.forests:
        old, new = change.forests
        rows = [
            [
                which,
                *(
                    f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
                    for value in it.to_json().values()
                ),
            ]
            for which, it in (("old", old), ("new", new))
            if it.trees
        ]
        head = ["", "trees", "splits", "leaves", "depth", "mean depth"]
        made.append(table(head, rows, right=5))
    if change.largest:
        rows = [
            [code(place or "/"), f"{old:.10g}", f"{new:.10g}", f"{new - old:+.4g}"]
            for place, old, new in change.largest
        ]
        made.append(table(["largest changes", "old", "new", "difference"], rows, right=3))
    return made


def _behaviour(found: Difference) -> list[str]:
    it = found.behaviour
    head = (
        f"### Answers to {it.rows:,} rows of {code(found.data_file)}\n\n"
        f"A number changes when its relative difference is larger than {it.tolerance:g}."
    )
    counts = {
        "the same": it.same,
        "answers differ": it.answers_differ,
        "errors come (only the old answers)": it.errors_come,
        "errors go (only the new answers)": it.errors_go,
        "errors differ": it.errors_differ,
    }
    rows = [[word, f"{n:,}", percent(n, it.rows)] for word, n in counts.items()]
    made = [head, table(["rows", "count", "share"], rows, right=2)]
    if it.neither_accepts:
        made.append(f"{it.neither_accepts:,} rows fit the input of neither model.")
    if it.bad:
        told = "; ".join(
            f"{found.row_word} {row.number}: {code(row.problem)}" for row in it.bad_rows
        )
        more = f" and {it.bad - len(it.bad_rows):,} more" if it.bad > len(it.bad_rows) else ""
        made.append(f"{it.bad:,} rows are no records and were left out: {told}{more}.")
    if found.structure.stateful:
        made.append("A model has state: it began anew with every 1,000 rows.")
    if it.errors:
        listed = [
            [code(old), code(new), f"{count:,}"]
            for (old, new), count in it.errors.most_common(PAIRS_SHOWN)
        ]
        made.append(table(["old", "new", "rows"], listed, right=1))
    made += _numbers(it.numbers)
    for place, labels in it.labels.items():
        made += _labels(place, labels)
    return made + _largest(found)


def _numbers(places: dict[str, Numbers]) -> list[str]:
    if not any(found.changed for found in places.values()):
        return []
    rows = []
    for place, found in places.items():
        counts = [f"{found.changed:,} of {found.compared:,}"]
        for spread, how in ((found.absolute, "absolute"), (found.relative, "relative")):
            told = [f"{value:.4g}" for value in spread.to_json().values()]
            if found.changed:
                rows.append([code(place or "/"), how, *counts, *told])
    head = ["number", "difference", "changed", "mean", "p50", "p90", "p99", "max"]
    return ["Of the numbers that change:", table(head, rows, right=6)]


def _labels(place: str, counted: Counter[tuple[str, str]]) -> list[str]:
    """A table of old against new, or a list of what changes if there are many values."""
    moved = Counter({pair: count for pair, count in counted.items() if pair[0] != pair[1]})
    if not moved:
        return []
    names = sorted({name for pair in counted for name in pair})
    of = f" at {code(place)}" if place else ""
    if len(names) <= CLASSES_SHOWN:
        rows = [[code(old), *(f"{counted[old, new]:,}" for new in names)] for old in names]
        head = ["old \\ new", *map(code, names)]
        return [f"Values{of}, old (down) against new:", table(head, rows, right=len(names))]
    rows = [
        [code(old), code(new), f"{count:,}"] for (old, new), count in moved.most_common(PAIRS_SHOWN)
    ]
    return [f"Values{of} that change most often:", table(["old", "new", "rows"], rows, right=1)]


def _largest(found: Difference) -> list[str]:
    largest = sorted(found.behaviour.largest, reverse=True)
    if not largest:
        return []
    rows = [
        [str(-row.minus_number), *(code(shown(it), ANSWER_CHARACTERS) for it in (row.old, row.new))]
        for row in largest
    ]
    head = [found.row_word, "old", "new"]
    which = f"The {LARGEST} largest" if found.behaviour.changed > LARGEST else "All changes"
    return [f"{which}, by {found.row_word}:", table(head, rows)]


def shown(result: Any) -> Any:
    """A row's result as a JSON value: the answer, or an object with an "error"."""
    return {"error": str(result)} if isinstance(result, PfaError) else result


def to_json(found: Difference) -> dict[str, Any]:
    """Give the same for machines."""
    it, structure = found.behaviour, found.structure
    return {
        "changes": found.changes,
        "types": [
            {"side": t.side, "place": t.place, "old": t.old, "new": t.new} for t in found.types
        ],
        "breaking": found.breaking,
        "structure": {
            "facts": {k: {"old": old, "new": new} for k, (old, new) in structure.facts.items()},
            "expressions": structure.expressions,
            "functions": _names_json(structure.functions),
            "metadata": _names_json(structure.metadata),
            "examples": {"old": structure.examples[0], "new": structure.examples[1]},
            **{
                kind: _names_json(names)
                | {"changes": [_store_json(change) for change in structure.changes[kind]]}
                for kind, names in structure.stores.items()
            },
        },
        "rows": {
            "rows": it.rows,
            "same": it.same,
            "changed": it.changed,
            "answersDiffer": it.answers_differ,
            "errorsCome": it.errors_come,
            "errorsGo": it.errors_go,
            "errorsDiffer": it.errors_differ,
            "onlyOldAccepts": it.only_old_accepts,
            "onlyNewAccepts": it.only_new_accepts,
            "neitherAccepts": it.neither_accepts,
            "bad": it.bad,
        },
        "tolerance": it.tolerance,
        "numbers": {
            place: {
                "compared": numbers.compared,
                "changed": numbers.changed,
                "absolute": numbers.absolute.to_json(),
                "relative": numbers.relative.to_json(),
            }
            for place, numbers in it.numbers.items()
        },
        "values": {place: _pairs_json(labels) for place, labels in it.labels.items()},
        "errors": _pairs_json(it.errors),
        "largest": [
            {found.row_word: -row.minus_number, "old": shown(row.old), "new": shown(row.new)}
            for row in sorted(it.largest, reverse=True)
        ],
    }


def _pairs_json(counted: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"old": old, "new": new, "rows": n} for (old, new), n in counted.most_common()]


def _names_json(names: Names) -> dict[str, Any]:
    return {"added": names.added, "removed": names.removed, "changed": names.changed}


def _store_json(change: StoreChange) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": change.name,
        "what": change.what,
        "numbers": change.numbers,
        "numbersChanged": change.numbers_changed,
        "largest": [{"place": place, "old": old, "new": new} for place, old, new in change.largest],
    }
    if change.forests:
        old, new = change.forests
        made["forests"] = {"old": old.to_json(), "new": new.to_json(), "same": change.same_trees}
    return made
