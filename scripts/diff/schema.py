"""What changes in the input and output types, place by place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from gate import compatible
from pfa import Model
from pfa.schema import NO_DEFAULT, Type, brief, from_json

SHOWN_SYMBOLS = 12


@dataclass(frozen=True, slots=True)
class TypeChange:
    """One place of the input or output; ``old`` or ``new`` is None where there is no such place.

    Places are JSON pointers; ``*`` stands for the items of an array and the values of a map,
    ``<name>`` for a branch of a union.
    """

    side: Literal["input", "output"]
    place: str
    old: str | None
    new: str | None


def changes(side: Literal["input", "output"], old: Any, new: Any) -> list[TypeChange]:
    """Compare two Avro schemas (JSON values, complete in themselves), in the order of the new."""
    before, after = places(from_json(old)), places(from_json(new))
    found = [
        TypeChange(side, place, before.get(place), text)
        for place, text in after.items()
        if before.get(place) != text
    ]
    gone = [TypeChange(side, place, text, None) for place, text in before.items()]
    return found + [change for change in gone if change.place not in after]


def places(node: Type) -> dict[str, str]:
    """Say for each place of a type what is there, as "double" or "enum Colour: red, green"."""
    found: dict[str, str] = {}
    todo: list[tuple[str, Type, str, tuple[str, ...]]] = [("", node, "", ())]
    while todo:
        place, here, more, around = todo.pop()
        found[place] = _told(here) + more
        if here.full_name and here.full_name in around:
            continue  # a recursive type: its places have been told
        around = (*around, here.full_name) if here.full_name else around
        below = [
            (f"{place}/{field.name}", field.type, _default(field.default), around)
            for field in here.fields
        ]
        if here.items is not None:
            below.append((f"{place}/*", here.items, "", around))
        below += [
            (f"{place}/<{branch.tag}>", branch, "", around)
            for branch in here.branches
            if branch.fields or branch.items is not None or branch.symbols
        ]
        todo.extend(reversed(below))
    return found


def _told(node: Type) -> str:
    if node.kind == "union":
        return " | ".join(branch.tag for branch in node.branches)
    if node.kind == "enum":
        shown = ", ".join(node.symbols[:SHOWN_SYMBOLS])
        more = len(node.symbols) - SHOWN_SYMBOLS
        return f"enum {node.full_name}: {shown}" + (f" and {more} more" if more > 0 else "")
    if node.kind == "fixed":
        return f"fixed {node.full_name} of {node.size} bytes"
    return node.kind if node.kind in ("array", "map") else brief(node)


def _default(value: Any) -> str:
    return "" if value is NO_DEFAULT else f", default {json.dumps(value, ensure_ascii=False)}"


def compare(old: Model, new: Model) -> list[TypeChange]:
    """Compare the input and the answers of two models, place by place."""
    found = changes("input", old.input_schema, new.input_schema)
    return found + changes("output", _answer(old), _answer(new))


def breaking(old: Model, new: Model) -> list[str]:
    """Say what breaks callers of the old model, in the gate's words; nothing if none does."""
    inputs = compatible.compare(old.input_schema, new.input_schema, "input")
    outputs = compatible.compare(_answer(old), _answer(new), "output")
    return inputs.breaks + outputs.breaks


def _answer(model: Model) -> Any:
    """The schema of an answer: with the method emit, a list of outputs."""
    schema = model.output_schema
    return {"type": "array", "items": schema} if model.method == "emit" else schema
