"""Which branch of a union a JSON value means; the rule is in check.py's docstring."""

from typing import Any

from pfa.scalars import BAD, MAX_ERRORS, Check, Run, Tried, is_text, reading
from pfa.schema import Type, bounded, brief, expected

_WHOLE_FIRST = ("int", "long", "double", "float")
_POINT_FIRST = ("double", "float", "int", "long")
_TEXT = ("enum", "bytes", "fixed")


def union(node: Type, checks: list[Check]) -> Check:
    """Make the check of a union, given the checks of its branches in their order."""
    by_kind = {branch.kind: branch for branch in node.branches}
    wanted = "expected " + expected(node)
    readings: dict[type, Check] = {
        dict: _of_object(node, checks, wanted),
        int: _of_number(by_kind, _WHOLE_FIRST, wanted),
        float: _of_number(by_kind, _POINT_FIRST, wanted),
        str: _of_text(node, wanted),
    }
    for branch, inner in zip(node.branches, checks, strict=True):
        if branch.kind == "array":
            readings[list] = _tagged("array", inner)
        elif branch.kind == "boolean":
            readings[bool] = _tagged("boolean", inner)
        elif branch.kind == "null":
            readings[type(None)] = inner

    def check(value: Any, run: Run) -> Any:
        read = readings.get(type(value))
        return run.fail(wanted) if read is None else read(value, run)

    return check


def _tagged(tag: str, check: Check) -> Check:
    def tagged(value: Any, run: Run) -> Any:
        made = check(value, run)
        return BAD if made is BAD else {tag: made}

    return tagged


def _of_number(by_kind: dict[str, Type], order: tuple[str, ...], wanted: str) -> Check:
    candidates = [
        (kind, read) for kind in order if kind in by_kind and (read := reading(by_kind[kind]))
    ]

    def check(value: Any, run: Run) -> Any:
        for tag, read in candidates:
            made = read(value)
            if made is not BAD:
                return {tag: made}
        return run.fail(wanted)

    return check


def _of_text(node: Type, wanted: str) -> Check:
    if any(branch.kind == "string" for branch in node.branches):

        def string(value: Any, run: Run) -> Any:
            if value.isascii() or is_text(value):
                return {"string": value}
            return run.fail(wanted + "; the text holds half of a surrogate pair")

        return string

    candidates = [
        (branch, read)
        for branch in node.branches
        if branch.kind in _TEXT and (read := reading(branch))
    ]

    def check(value: Any, run: Run) -> Any:
        fits = [branch for branch, read in candidates if read(value) is not BAD]
        if len(fits) == 1:
            return {fits[0].short_name: value}
        return run.fail(_which(fits) if fits else wanted)

    return check


def _which(fits: list[Type]) -> str:
    names = " and ".join(brief(branch) for branch in fits[:5])
    return (
        f'expected a tag, {{"{bounded(fits[0].tag)}": value}} for example: the value fits {names}'
    )


def _of_object(node: Type, checks: list[Check], wanted: str) -> Check:
    tags: dict[str, tuple[str, Check]] = {}
    plain: list[tuple[Type, Check]] = []
    for branch, check in zip(node.branches, checks, strict=True):
        tags.setdefault(branch.short_name, (branch.short_name, check))
        if branch.kind in ("record", "map"):
            plain.append((branch, check))
    for branch, check in zip(node.branches, checks, strict=True):
        tags[branch.tag] = (branch.short_name, check)

    def check_object(value: Any, run: Run) -> Any:
        tag, inner = "", None
        if len(value) == 1:
            (key,) = value
            tag, inner = tags.get(key, ("", None))
        if inner is None:
            if len(plain) == 1:
                branch, check = plain[0]
                made = check(value, run)
                return BAD if made is BAD else {branch.short_name: made}
            return _untagged(value, run, plain, wanted)
        start, before = len(run.errors), run.count
        made = _try(inner, value[key], run) if plain else inner(value[key], run)
        if made is not BAD:
            return None if tag == "null" else {tag: made}
        run.below(start, key)
        as_tagged, count = run.errors[start:], run.count
        run.undo(start, before)
        fits = [(branch, check) for branch, check in plain if _fits(check, value, run)]
        if fits:  # the key names a branch, but as a key of this object it is right
            return _only(fits, value, run)
        run.undo(start, count)
        run.errors[start:] = as_tagged
        return BAD

    return check_object


def _untagged(value: Any, run: Run, plain: list[tuple[Type, Check]], wanted: str) -> Any:
    fits = [(branch, check) for branch, check in plain if _fits(check, value, run)]
    if fits:
        return _only(fits, value, run)
    # Say what is wrong with the branch that comes closest, if one does.
    distances = sorted(
        (_distance(run.memo[id(value), id(check)]), i) for i, (_, check) in enumerate(plain)
    )
    if len(plain) > 1 and distances[0][0] < distances[1][0]:
        return _try(plain[distances[0][1]][1], value, run)
    return run.fail(wanted)


def _distance(tried: Tried) -> tuple[int, int]:
    """How far a value is from a branch: first by wrong keys, then by wrong values."""
    keys = sum(detail.startswith(("unknown", "missing")) for _, detail in tried.errors)
    return keys, tried.wrong


def _only(fits: list[tuple[Type, Check]], value: Any, run: Run) -> Any:
    if len(fits) > 1:
        return run.fail(_which([branch for branch, _ in fits]))
    branch, check = fits[0]
    return {branch.short_name: _try(check, value, run)}


def _fits(check: Check, value: Any, run: Run) -> bool:
    start, before = len(run.errors), run.count
    made = _try(check, value, run)
    run.undo(start, before)
    return made is not BAD


def _try(check: Check, value: Any, run: Run) -> Any:
    """Check once per value and type: nested unions would otherwise try 2**depth readings."""
    key = id(value), id(check)
    tried = run.memo.get(key)
    if tried is None:
        start, before = len(run.errors), run.count
        made = check(value, run)
        errors = [(place, detail) for place, detail in run.errors[start:]]
        run.memo[key] = Tried(made, errors, run.count - before)
        return made
    run.count += tried.wrong
    room = MAX_ERRORS - len(run.errors)
    run.errors.extend([place, detail] for place, detail in tried.errors[:room])
    return tried.made
