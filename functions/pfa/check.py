"""The strict input check: a JSON value in, the engine's form of it out, or every wrong place.

One Python closure per type, built once per model: ``check(value, run)`` gives the value as the
engine wants it (``action(x, check=False)``), or BAD after noting in ``run`` what is wrong.
The engine's forms: null None; boolean bool; int and long int; float and double float; string and
enum str; bytes and fixed str of characters up to U+00FF; array list; map and record dict; union
None or ``{short name of the branch: value}``.

How an untagged value finds its branch of a union. None of this depends on the order of branches.

1. ``{"branch": value}`` with the short or the full name of a branch is Avro's own JSON encoding,
   so it is read that way whenever the value fits that branch.
2. Otherwise the value stands for itself. null and booleans have one possible branch.
   A number written as an integer is the narrowest that holds it: int, long, then double, float;
   one written with a point or exponent is a double, float, and only then (1.0) an int or long.
   A text is the string branch if there is one, whatever else it could be: anything else that
   JSON writes as text (enum, bytes, fixed) is then only meant when tagged.
   Without a string branch exactly one of enum, bytes and fixed must accept it.
   An object must be accepted by exactly one record or map: unknown and missing fields count.
3. Several that fit: an error that asks for the tag.
"""

from collections.abc import Callable
from typing import Any

from pfa.errors import DocumentError, FieldError, InputError
from pfa.scalars import BAD, Check, Run, double, is_text, reading, scalar
from pfa.schema import NO_DEFAULT, Field, Type, bounded, brief, expected, items_of
from pfa.unions import union

MAX_DEPTH = 150  # nesting of a recursive type; Python's own stack holds about 1000 calls


def checker(node: Type) -> Callable[[Any], Any]:
    """Make the input check of a type: JSON value -> engine's form, or InputError.

    Raises DocumentError when the default of a field does not fit the field's type.
    """
    return Checks(node).checked


class Checks:
    """The check of a type, and of each type within it."""

    def __init__(self, node: Type) -> None:
        """Build them.

        Raises DocumentError when the default of a field does not fit the field's type.
        """
        self.builder = _Builder()
        self.checked = _checked(self.builder.make(node))
        self.builder.finish()

    def part(self, node: Type) -> Check:
        """Return the check of a type within this one, as it is where the type is met first."""
        return self.builder.parts[id(node)]

    def default(self, made: Field) -> Any:
        """Return the engine's form of a field's default."""
        return self.builder.defaults.make(made.type)(made.default, Run())


def _checked(check: Check) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        run = Run()
        try:
            made = check(value, run)
        except RecursionError:
            run = Run()
            made = run.fail("expected less deeply nested values")
        if made is not BAD:
            return made
        errors = [FieldError(pointer=place, detail=detail) for place, detail in run.errors]
        raise InputError(errors, run.count)

    return checked


class _Builder:
    """Builds closures; a named type is built once, so that recursion ends.

    ``first_branch`` gives the reading of Avro's field defaults: a default of a union belongs to
    its first branch; where it does not fit that one, it may fit any, as newer Avro says.
    """

    def __init__(self, first_branch: bool = False) -> None:
        self.named: dict[str, Check] = {}
        self.first_branch = first_branch
        self.defaults: _Builder = self if first_branch else _Builder(first_branch=True)
        self.to_verify: list[tuple[str, Field, Check]] = []
        self.parts: dict[int, Check] = {}  # by the id of the type

    def make(self, node: Type) -> Check:
        check = self.made(node)
        self.parts.setdefault(id(node), check)
        return check

    def made(self, node: Type) -> Check:
        if node.kind == "double":
            return double
        if read := reading(node):
            return scalar(node, read)
        if node.kind == "array":
            return array(node, self.make(items_of(node)))
        if node.kind == "map":
            return mapping(node, self.make(items_of(node)))
        if node.kind == "union":
            return self.union(node)
        if node.full_name not in self.named:
            self.named[node.full_name] = self.recursive(node.full_name)
            self.named[node.full_name] = self.record(node)
        return self.named[node.full_name]

    def recursive(self, name: str) -> Check:
        named = self.named

        def check(value: Any, run: Run) -> Any:
            if run.depth >= MAX_DEPTH:
                return run.fail(f"expected at most {MAX_DEPTH} levels of nesting")
            run.depth += 1
            made = named[name](value, run)
            run.depth -= 1
            return made

        return check

    def record(self, node: Type) -> Check:
        fields = [
            (made.name, self.make(made.type), self.default(node, made)) for made in node.fields
        ]
        missing = {made.name: f"missing field of type {brief(made.type)}" for made in node.fields}
        known = {made.name for made in node.fields}
        wanted = "expected " + expected(node)

        def check(value: Any, run: Run) -> Any:
            if type(value) is not dict:
                return run.fail(wanted)
            before = run.count
            start = len(run.errors)
            out: dict[str, Any] = {}
            seen = 0
            for name, inner, default in fields:
                if name in value:
                    seen += 1
                    made = inner(value[name], run)
                    if made is BAD:
                        start = run.below(start, name)
                    out[name] = made
                elif default is not None:
                    out[name] = default(run)
                else:
                    run.fail(missing[name])
                    start = run.below(start, name)
            if seen != len(value):
                for name in value:
                    if name not in known:
                        run.fail_below(name, "unknown field")
            return out if run.count == before else BAD

        return check

    def default(self, owner: Type, made: Field) -> Callable[[Run], Any] | None:
        if made.default is NO_DEFAULT:
            return None
        check = self.defaults.make(made.type)
        json = made.default
        self.to_verify.append((owner.full_name, made, check))
        # Made anew for each record: no two records may share a list or dict.
        return lambda run: check(json, run)

    def finish(self) -> None:
        """Hold every field default against its type, once all types are built."""
        for builder in (self, self.defaults):
            for owner, made, check in builder.to_verify:
                try:
                    fits = check(made.default, Run()) is not BAD
                except RecursionError:
                    fits = False
                if not fits:
                    raise DocumentError(
                        f"The default of field {bounded(made.name)} of record {bounded(owner)}"
                        f" does not fit its type ({expected(made.type)})."
                    )

    def union(self, node: Type) -> Check:
        checks = [self.make(branch) for branch in node.branches]
        check = union(node, checks)
        if not self.first_branch or not checks:
            return check
        head, tag = checks[0], node.branches[0].short_name

        def first(value: Any, run: Run) -> Any:
            start, before = len(run.errors), run.count
            made = head(value, run)
            if made is not BAD:
                return made if tag == "null" else {tag: made}
            run.undo(start, before)
            return check(value, run)

        return first


def array(node: Type, inner: Check) -> Check:
    """Make the check of an array of what ``inner`` checks."""
    wanted = "expected " + expected(node)

    def check(value: Any, run: Run) -> Any:
        if type(value) is not list:
            return run.fail(wanted)
        before, start = run.count, len(run.errors)
        out = []
        for index, item in enumerate(value):
            made = inner(item, run)
            if made is BAD:
                start = run.below(start, str(index))
            out.append(made)
        return out if run.count == before else BAD

    return check


def mapping(node: Type, inner: Check) -> Check:
    """Make the check of a map from text to what ``inner`` checks."""
    wanted = "expected " + expected(node)

    def check(value: Any, run: Run) -> Any:
        if type(value) is not dict:
            return run.fail(wanted)
        before, start = run.count, len(run.errors)
        out = {}
        for key, item in value.items():
            made = inner(item, run)
            if made is BAD:
                start = run.below(start, key)
            elif not (key.isascii() or is_text(key)):
                run.fail_below(key, "expected a key of Unicode text")
                start = len(run.errors)
            out[key] = made
        return out if run.count == before else BAD

    return check
