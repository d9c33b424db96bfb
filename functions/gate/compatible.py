"""Do callers of the live model get along with the new one? Avro's schema resolution, for JSON.

Rules: Avro 1.12 specification, "Schema Resolution". For the input the reader is the new schema and
the writer the live one: what is sent today must be accepted. For the output the reader is the live
schema and the writer the new one: who reads today's answers must be able to read the new ones.

Records travel as JSON and not in Avro's binary form, so that these rules differ from Avro's:

* an input field that is gone breaks callers, as unknown fields are refused (Avro skips them), and
  so does one that loses its default, as callers may leave it out;
* text is no longer bytes: characters above U+00FF are refused (Avro promotes string to bytes);
* an answer of a union carries a tag, so that making a union of a type, or a type of a union, or
  another branch of what was one (Avro promotes int to double) breaks who reads it;
* an input that needs no tag must not need one afterwards; one that is sent with a tag that is gone
  is only noted, as tags are seldom sent;
* the name of a record, enum or fixed matters in unions only, where it is the tag; else a change is
  noted;
* defaults of enums do not help input, as the engine does not know them.
"""

from __future__ import annotations

from typing import Any, Literal

from pfa.schema import NAMED, NO_DEFAULT, Field, Type, brief, expected, from_json, items_of, to_avro

# type -> what else reads it, the nearest first
_PROMOTED = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "bytes": ("string",),
}
_OBJECTS = ("record", "map")
_TEXTS = ("enum", "bytes", "fixed")


class Differences:
    """What breaks callers, and what is only worth a note; a sentence each, with its place."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        self.breaks: list[str] = []
        self.notes: list[str] = []


def compare(live: Any, new: Any, side: Literal["input", "output"]) -> Differences:
    """Compare two schemas, as Avro JSON (`Model.input_schema`, `.output_schema`)."""
    return compare_types(from_json(live), from_json(new), side)


def compare_types(live: Type, new: Type, side: Literal["input", "output"]) -> Differences:
    """Compare two schemas; see ``compare``."""
    run = _Comparison(side)
    run.types(live, new, side)
    return run.differences


class _Comparison:
    """One comparison: `live` is what was, `new` what is to be."""

    def __init__(self, side: str) -> None:
        self.differences = Differences()
        self.input = side == "input"
        self.seen: set[tuple[int, int]] = set()  # pairs of types that are compared already

    def breaks(self, where: str, words: str) -> None:
        self.differences.breaks.append(f"{where}: {words}")

    def notes(self, where: str, words: str) -> None:
        self.differences.notes.append(f"{where}: {words}")

    def types(self, live: Type, new: Type, where: str) -> None:
        """Compare two types at one place."""
        if (id(live), id(new)) in self.seen:
            return
        self.seen.add((id(live), id(new)))
        if "union" in (live.kind, new.kind):
            if self.input:
                self.input_unions(live, new, where)
            else:
                self.output_unions(live, new, where)
            return
        if live.kind != new.kind:
            reader, writer = (new, live) if self.input else (live, new)
            if reader.kind not in _PROMOTED.get(writer.kind, ()):
                self.breaks(where, f"was {expected(live)}, is {expected(new)}")
            return
        if live.kind in NAMED and live.full_name != new.full_name:
            self.notes(where, f"the name was {live.full_name}, is {new.full_name}")
        if live.kind in ("array", "map"):
            part = "items" if live.kind == "array" else "values"
            self.types(items_of(live), items_of(new), f"{where}, {part}")
        elif live.kind == "record":
            self.records(live, new, where)
        elif live.kind == "enum":
            self.enums(live, new, where)
        elif live.size != new.size:
            self.breaks(where, f"was {expected(live)}, is {expected(new)}")

    def enums(self, live: Type, new: Type, where: str) -> None:
        reader, writer = (new, live) if self.input else (live, new)
        lost = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
        if not lost:
            return
        shown = ", ".join(f'"{symbol}"' for symbol in lost[:10]) + (" …" if lost[10:] else "")
        if self.input:
            self.breaks(where, f"the symbols {shown} are gone")
        elif "default" in reader.extras:
            self.notes(where, f"the symbols {shown} are new: readers take the enum's default")
        else:
            self.breaks(where, f"the symbols {shown} are new")

    def records(self, live: Type, new: Type, where: str) -> None:
        before = {made.name: made for made in live.fields}
        after = {made.name: made for made in new.fields}
        for name, made in after.items():
            place = _below(where, name)
            if name not in before:
                if self.input and made.default is NO_DEFAULT:
                    self.breaks(place, "is new and has no default, so today's records lack it")
                continue
            was = before[name]
            self.types(was.type, made.type, place)
            if self.input and was.default is not NO_DEFAULT and made.default is NO_DEFAULT:
                self.breaks(place, "had a default and has none, so that it cannot be left out")
        for name, made in before.items():
            if name not in after:
                self.gone(_below(where, name), made)

    def gone(self, place: str, made: Field) -> None:
        if self.input:
            self.breaks(place, "is gone, and records with unknown fields are refused")
        elif made.default is NO_DEFAULT:
            self.breaks(place, "is gone, and has no default for its readers")
        else:
            self.notes(place, "is gone: readers take its default")

    def output_unions(self, live: Type, new: Type, where: str) -> None:
        if live.kind != new.kind:
            plain, union = (new, live) if live.kind == "union" else (live, new)
            if plain.kind == "null" and union is live and "null" in _tags(live):
                return
            tags = "without a tag" if plain is new else "with a tag"
            words = f"was {brief(live)}, is {brief(new)}: answers now come {tags}"
            self.breaks(where, words)
            return
        known = {branch.tag: branch for branch in live.branches}
        for branch in new.branches:
            if branch.tag in known:
                self.types(known[branch.tag], branch, _branch(where, branch))
            else:
                self.breaks(where, f"answers can be {brief(branch)}, which is new in the union")

    def input_unions(self, live: Type, new: Type, where: str) -> None:
        readers = new.branches if new.kind == "union" else [new]
        writers = live.branches if live.kind == "union" else [live]
        for writer in writers:
            place = _branch(where, writer) if live.kind == "union" else where
            reader = _reader(writer, readers, new.kind == "union")
            if reader is None:
                self.breaks(where, f"{brief(writer)} was accepted, now it has to be {brief(new)}")
                continue
            self.types(writer, reader, place)
            if live.kind == "union" and writer.kind != "null":
                if new.kind != "union" or reader.kind != writer.kind:
                    self.notes(place, "values that are sent with this tag are refused")
                elif reader.tag != writer.tag:
                    self.notes(place, f"the tag is now {reader.tag}")
            self.ambiguous(writer, reader, writers, readers, place)

    def ambiguous(
        self, writer: Type, reader: Type, writers: list[Type], readers: list[Type], place: str
    ) -> None:
        """Find values that needed no tag and need one now, or mean something else without."""
        group = next((it for it in (_OBJECTS, _TEXTS) if writer.kind in it), ())
        if group == _TEXTS and any(other.kind == "string" for other in readers):
            if all(other.kind != "string" for other in writers) and reader.kind != "string":
                self.notes(place, "texts without a tag now mean string")
            return
        for other in readers:
            if other is reader or other.kind not in group or not _overlap(writer, other):
                continue
            before = [it for it in writers if it.short_name == other.short_name]
            if before and _equal(before[0], other) and _equal(writer, reader):
                continue
            self.breaks(place, f"without a tag it cannot be told from {brief(other)}, which is new")


def _reader(writer: Type, readers: list[Type], union: bool) -> Type | None:
    """Give the branch that takes a writer's value: the one of its tag, or the nearest wider."""
    for reader in readers:
        if reader.short_name == writer.short_name or (not union and reader.kind == writer.kind):
            return reader
    for kind in _PROMOTED.get(writer.kind, ()):
        for reader in readers:
            if reader.kind == kind:
                return reader
    return None


def _overlap(one: Type, other: Type) -> bool:
    """Say whether there may be a JSON value that fits both, which are objects or texts."""
    if one.kind == other.kind == "record":
        return _required(one) <= _names(other) and _required(other) <= _names(one)
    if one.kind == other.kind == "enum":
        return not set(one.symbols).isdisjoint(other.symbols)
    return not (one.kind == other.kind == "fixed" and one.size != other.size)


def _required(record: Type) -> set[str]:
    return {made.name for made in record.fields if made.default is NO_DEFAULT}


def _names(record: Type) -> set[str]:
    return {made.name for made in record.fields}


def _tags(union: Type) -> set[str]:
    return {branch.tag for branch in union.branches}


def _equal(one: Type, other: Type) -> bool:
    return bool(to_avro(one) == to_avro(other))


def _below(where: str, name: str) -> str:
    """Say where a field is: `input field "customer.age"`."""
    if where.endswith('"'):
        return f'{where[:-1]}.{name}"'
    return f'{where} field "{name}"'


def _branch(where: str, branch: Type) -> str:
    return f"{where}, branch {branch.short_name}"
