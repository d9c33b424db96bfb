"""credit: R's rpart tree on German credit, read from R's own saved model.

R's exporter refuses this tree: its column names have dots, which Avro does not allow in the
names of a record's fields, and it splits on categories. Callers keep their dots all the same:
the input and the output are maps, whose keys are free text. What a record's schema would have
refused is checked by the document itself, and so on every PFA engine.
"""

from __future__ import annotations

import json
from typing import Any

from scripts import r_data
from scripts.sample import DATA, Document, metadata

EVERY = 20  # of the 200 cases, each 20th is an example
MISSING, WRONG_TYPE, UNKNOWN_LEVEL, UNKNOWN_FIELD = -1, -2, -3, -4  # codes of the document

Tree = dict[str, Any]


def avro(name: str) -> str:
    """R's column name as a field name inside the document."""
    return name.replace(".", "_")


class RTree:
    """An rpart classification tree of two classes, as R keeps it (`?rpart.object`)."""

    def __init__(self, model: r_data.Vector) -> None:
        """Takes apart the frame, the table of splits and the table of categorical splits."""
        frame = model["frame"]
        columns = frame["var"]
        self.numbers: list[int] = frame.attributes["row.names"].values  # children of n: 2n, 2n + 1
        variables = [columns.attributes["levels"].values[i - 1] for i in columns.values]
        self.variable = dict(zip(self.numbers, variables, strict=True))
        # yval2 holds the class, its counts, its probabilities and the node's share of all rows.
        self.default = dict(
            zip(self.numbers, (row[4] for row in frame["yval2"].rows()), strict=True)
        )
        levels = model.attributes["xlevels"]
        self.levels: dict[str, list[str]] = {
            name: levels[name].values for name in levels.attributes["names"].values
        }
        self.splits = self._primary_splits(model["splits"], frame)
        self.sides = model["csplit"].rows()

    def _primary_splits(self, table: r_data.Vector, frame: r_data.Vector) -> dict[int, list[Any]]:
        """The split of each inner node; competing and surrogate ones follow it in the table."""
        found, row = {}, 0
        rows = table.rows()
        for i, number in enumerate(self.numbers):
            if self.variable[number] != "<leaf>":
                found[number] = rows[row]
                row += 1 + frame["ncompete"].values[i] + frame["nsurrogate"].values[i]
        return found

    @property
    def fields(self) -> list[str]:
        """The columns that the tree asks for, in the order of its nodes."""
        return [name for name in dict.fromkeys(self.variable.values()) if name != "<leaf>"]

    def pfa(self, number: int = 1) -> Tree:
        """A node and what is below it as a PFA TreeNode; a leaf as a tagged probability."""
        name = self.variable[number]
        if name == "<leaf>":
            return {"double": self.default[number]}
        _count, categories, _improve, index, _adjust = self.splits[number]
        left, right = self.pfa(2 * number), self.pfa(2 * number + 1)
        node: Tree = {"field": avro(name)}
        if name in self.levels:  # 1 goes left, 3 right, 2 did not occur
            sides = zip(self.levels[name], self.sides[int(index) - 1], strict=False)
            node |= {"operator": "in", "value": {"array": [v for v, side in sides if side == 1]}}
        else:  # -1: smaller goes left
            node |= {"operator": "<" if categories < 0 else ">=", "value": {"double": index}}
        node |= {"pass": left, "fail": right}
        return node if number == 1 else {"TreeNode": node}


def load() -> RTree:
    """The saved tree."""
    return RTree(
        r_data.load(DATA / "credit/decision_tree_for_german_credit_data.RData")["decision.tree"]
    )


def checked(name: str, levels: list[str] | None) -> Any:
    """PFA that takes `name` from the input map: a known level, or a number where levels is None."""
    known: Any = "value"
    if levels is not None:
        known = {
            "if": {"a.contains": [{"cell": "levels", "path": [[name]]}, "value"]},
            "then": "value",
            "else": {
                "error": f"{name} must be one of {', '.join(levels)}",
                "code": UNKNOWN_LEVEL,
            },
        }
    wanted, other = ("double", "string") if levels is None else ("string", "double")
    sort = "a number" if levels is None else "text"
    return {
        "if": {"map.containsKey": ["input", [name]]},
        "then": {
            "cast": {"attr": "input", "path": [[name]]},
            "cases": [
                {"as": wanted, "named": "value", "do": known},
                {
                    "as": other,
                    "named": "value",
                    "do": {"error": f"{name} must be {sort}", "code": WRONG_TYPE},
                },
            ],
        },
        "else": {"error": f"{name} is missing", "code": MISSING},
    }


def applicant(tree: RTree) -> Document:
    """The record that the tree walks: the checked input under names that Avro allows."""
    types = {name: "string" if name in tree.levels else "double" for name in tree.fields}
    return {
        "type": {
            "type": "record",
            "name": "Applicant",
            "fields": [{"name": avro(name), "type": types[name]} for name in tree.fields],
        },
        "new": {avro(name): checked(name, tree.levels.get(name)) for name in tree.fields},
    }


def node_type(tree: RTree) -> Document:
    """The Avro type of the tree, as R's exporter writes it, with lists of levels beside numbers."""
    symbols = [avro(name) for name in tree.fields]
    return {
        "type": "record",
        "name": "TreeNode",
        "fields": [
            {"name": "field", "type": {"type": "enum", "name": "Column", "symbols": symbols}},
            {"name": "operator", "type": "string"},
            {"name": "value", "type": ["double", {"type": "array", "items": "string"}]},
            {"name": "pass", "type": ["TreeNode", "double"]},
            {"name": "fail", "type": ["TreeNode", "double"]},
        ],
    }


def examples(tree: RTree) -> list[tuple[Any, Any]]:
    """Some of R's cases, with R's probability to the last bit.

    The cases hold 15 digits of what R predicted; the leaves of the saved tree hold all of it.
    """
    exact = {float(f"{p:.15g}"): p for p in tree.default.values()}
    cases = json.loads((DATA / "credit/cases.json").read_text("utf-8"))
    rows = list(zip(cases["inputs"], cases["default_probability"], strict=True))
    return [(record, {"default.probability": exact[printed]}) for record, printed in rows[::EVERY]]


def document() -> Document:
    """The tree as PFA."""
    tree = load()
    fields = tree.fields
    allowed = ", ".join(fields)
    return {
        "name": "credit",
        "doc": f"Probability that an applicant for a credit defaults. Fields: {allowed}; the"
        " duration is a number of months, the others are codes of the German credit data."
        " Errors: -1 a field is missing, -2 it has the wrong type, -3 its level is unknown,"
        " -4 there is another field.",
        "version": 1,
        "metadata": metadata(
            "Classification tree of R (rpart) on UCI's Statlog German credit data, converted from"
            " the saved R object; the examples are R's own predictions.",
            examples(tree),
        ),
        "input": {"type": "map", "values": ["double", "string"]},
        "output": {"type": "map", "values": "double"},
        "cells": {
            "levels": {
                "type": {"type": "map", "values": {"type": "array", "items": "string"}},
                "init": tree.levels,
            },
            "tree": {"type": node_type(tree), "init": tree.pfa()},
        },
        "action": [
            {"let": {"applicant": applicant(tree)}},
            {
                "if": {">": [{"map.len": ["input"]}, len(fields)]},
                "then": {"error": f"no fields but {allowed} are known", "code": UNKNOWN_FIELD},
            },
            {
                "type": {"type": "map", "values": "double"},
                "new": {
                    "default.probability": {
                        "model.tree.simpleTree": ["applicant", {"cell": "tree"}]
                    }
                },
            },
        ],
    }
