"""Conditions, loops, ``cast``, ``ifnotnull``, ``try``, ``error``, ``do`` and ``log``."""

import json
from collections.abc import Sequence
from typing import Any

from pfa.compat.loader import load
from pfa.compiler import runtime
from pfa.compiler.code import (
    CONSTANT,
    MAX_DEPTH,
    VARIABLE,
    Block,
    Code,
    Statement,
    all_renamed,
    variable,
)
from pfa.compiler.values import Values
from pfa.kernels.prepared import made

_genpy = load("titus.genpy")
_datatype = load("titus.datatype")

_NUMBERS = ("int", "long", "float", "double")  # each is accepted where a later one is wanted


class Control(Values):
    """Methods of the task for these forms."""

    def _do(self, context: Any) -> Code:
        statements, last = self.block(context.exprs)
        return Code(last.text, statements, last.kind, depth=last.depth, pos=last.pos)

    def _if(self, context: Any) -> Code:
        return self.choice([(context.predicate, context.thenClause)], context.elseClause)

    def _cond(self, context: Any) -> Code:
        blocks = [(block.pred, block.exprs) for block in context.walkBlocks]
        otherwise = blocks.pop()[1] if context.complete else None
        return self.choice(blocks, otherwise)

    def choice(
        self, cases: list[tuple[Code, Sequence[Code]]], otherwise: Sequence[Code] | None
    ) -> Code:
        """Code of the first case whose condition holds, or of ``otherwise``."""
        if otherwise is not None and len(cases) == 1:
            ((condition, then),) = cases
            parts = [condition, *then, *otherwise]
            simple = len(then) == len(otherwise) == 1 and not any(c.before for c in parts[1:])
            if simple and max(part.depth for part in parts) < MAX_DEPTH // 2:
                text = f"({then[0].text} if {condition.text} else {otherwise[0].text})"
                return self.made(text, parts)
        result = "None" if otherwise is None else self.temporaries.new()
        rest = [] if otherwise is None else self.into(result, otherwise)
        alternatives: list[Block] = []  # what is in rest, if that is an "if" alone
        for condition, then in reversed(cases):
            body = self.run(then) if otherwise is None else self.into(result, then)
            chosen = [Block(f"if {condition.text}:", body)]
            if alternatives:
                first, *more = alternatives
                chosen += [Block(f"el{first.header}", first.body), *more]
            elif rest:
                chosen.append(Block("else:", rest))
            rest = [*condition.before, *chosen]
            alternatives = [] if condition.before else chosen
        return Code(result, rest, CONSTANT if result == "None" else VARIABLE)

    def _while(self, context: Any) -> Code:
        return self.loop(context.predicate, context.loopBody)

    def loop(self, condition: Code, body: Sequence[Code], step: Sequence[Statement] = ()) -> Code:
        """Code of a loop with its condition at the start."""
        inside = ["state.checkTime()", *self.run(body), *step]
        if condition.before:
            stop = Block(f"if not {condition.text}:", ["break"])
            return self.statement(Block("while True:", [*condition.before, stop, *inside]))
        return self.statement(Block(f"while {condition.text}:", inside))

    def statement(self, *statements: Statement) -> Code:
        """Code of statements without a value."""
        return Code("None", list(statements), CONSTANT, value=None)

    def _do_until(self, context: Any) -> Code:
        until = context.predicate
        body = ["state.checkTime()", *self.run(context.loopBody), *until.before]
        stop = Block(f"if {until.text}:", ["break"])
        return self.statement(Block("while True:", [*body, stop]))

    def _for(self, context: Any) -> Code:
        begin = self._let(_Assignments(context.initNameTypeExpr))
        step = self._let(_Assignments(context.stepNameTypeExpr))
        loop = self.loop(context.predicate, context.loopBody, step.before)
        return self.statement(*begin.before, *loop.before)

    def _foreach(self, context: Any) -> Code:
        items = context.objExpr
        body = ["state.checkTime()", *self.run(context.loopBody)]
        loop = Block(f"for {variable(context.name)} in {items.text}:", body)
        return self.statement(*items.before, loop)

    def _forkeyval(self, context: Any) -> Code:
        items = context.objExpr
        body = ["state.checkTime()", *self.run(context.loopBody)]
        names = f"{variable(context.forkey)}, {variable(context.forval)}"
        loop = Block(f"for {names} in list({items.text}.items()):", body)
        return self.statement(*items.before, loop)

    def _cast_case(self, context: Any) -> Any:
        return context

    def _cast_block(self, context: Any) -> Code:
        no_match = self.bind_as("NO_MATCH", runtime.NO_MATCH)
        before: list[Statement] = []
        value = self.temporaries.hold(context.expr, before)
        result = "None" if context.partial else self.temporaries.new()
        rest: list[Statement] = [] if context.partial else [f"{result} = None"]
        is_union = isinstance(context.exprType, _datatype.AvroUnion)
        cases = [case for case, _ in context.cases]
        # A double is the most common of a union, and nothing else fits it: it is looked for first.
        double = next((i for i, case in enumerate(cases) if case.toType.name == "double"), -1)
        usual = self.temporaries.new() if is_union and double >= 0 else ""
        if usual:
            before.append(f"{usual} = {is_double(value)}")
        for number, case in reversed([*enumerate(cases)]):
            # it may have the name of another variable, which it leaves alone
            names = self.temporaries.apart([variable(case.name)])
            (name,) = names.values()
            cast = self.bind(f"cast_{case.toType.name}", self.caster(case.toType, is_union))
            made, fits = f"{cast}({value})", f"{name} is not {no_match}"
            chosen: list[Statement] = []
            if is_union and case.toType.name in ("string", "boolean"):
                made = f"{no_match} if {is_other(case.toType.name, value)} else {made}"
            if usual and number < double:
                fits = f"not {usual} and ({name} := {made}) is not {no_match}"
            elif usual and number == double:
                chosen.append(f"{name} = {value}['double'] if {usual} else {made}")
                fits = f"{usual} or {fits}"
            else:
                chosen.append(f"{name} = {made}")
            body = self.run(case.clause) if context.partial else self.into(result, case.clause)
            chosen.append(Block(f"if {fits}:", all_renamed(body, names)))
            if rest:
                chosen.append(Block("else:", rest))
            rest = chosen
        return Code(result, [*before, *rest], CONSTANT if context.partial else VARIABLE)

    def caster(self, to: Any, is_union: bool) -> Any:
        """Make what casts a value to the type of a case."""
        tags = None
        if is_union:
            narrower = _NUMBERS[: _NUMBERS.index(to.name)] if to.name in _NUMBERS else ()
            tags = frozenset([to.name, *narrower])
        return made(runtime.caster, repr(to), tags)

    def _upcast(self, context: Any) -> Code:
        union, of = context.retType, context.originalType
        code: Code = context.expr
        if isinstance(union, _datatype.AvroUnion) and not isinstance(of, _datatype.AvroUnion):
            for branch in union.types:
                if branch.accepts(of):
                    return self.wrap(code, branch.name)
        return Code(code.text, code.before, code.kind, depth=code.depth)

    def _if_not_null(self, context: Any) -> Code:
        codes = [code for _, _, code in context.symbolTypeResult]
        before, texts, _ = self.temporaries.in_order(codes)
        held = [self.temporaries.new() for _ in texts]
        before.append(f"{', '.join(held)} = {', '.join(texts)}")
        # like the variable of a case of cast
        names = self.temporaries.apart([variable(name) for name, _, _ in context.symbolTypeResult])
        then: list[Statement] = []
        for (name, of, _), value in zip(context.symbolTypeResult, held, strict=True):
            then.append(f"{names[f'v_{name}']} = {self.untagger(of)}({value})")
        condition = " and ".join(f"{value} is not None" for value in held)
        if context.elseClause is None:
            then += all_renamed(self.run(context.thenClause), names)
            return self.conditional(before, condition, then, None)
        result = self.temporaries.new()
        then += all_renamed(self.into(result, context.thenClause), names)
        return self.conditional(
            before, condition, then, self.into(result, context.elseClause), result
        )

    def untagger(self, of: Any) -> str:
        """Bind what takes a value of this type out of a union (see tags.py)."""
        wanted = json.loads(repr(of))
        if isinstance(wanted, dict):
            wanted = wanted["type"] if wanted["type"] not in _NAMED else _full_name(wanted)
        names = frozenset([wanted] if isinstance(wanted, str) else [])
        if wanted in _NUMBERS:
            names = frozenset(_NUMBERS[: _NUMBERS.index(wanted) + 1])
        return str(
            self.bind(f"untag_{wanted if names else 'union'}", made(runtime.untagger, names))
        )

    def _error(self, context: Any) -> Code:
        error = self.bind_as("error", runtime.error)
        return Code(f"{error}({context.message!r}, {context.code!r}, {context.pos!r})")

    def _try(self, context: Any) -> Code:
        passing = (_genpy.PFATimeoutException, MemoryError)
        caught = self.bind_as("caught", runtime.catcher(passing))
        result = self.temporaries.new()
        wanted = None if context.filter is None else self.bind("filter", context.filter)
        attempt = Block("try:", self.into(result, context.exprs))
        failed = Block("except Exception as e:", [f"{caught}(e, {wanted})", f"{result} = None"])
        return Code(result, [attempt, failed], VARIABLE)

    def _log(self, context: Any) -> Code:
        before, texts, _ = self.temporaries.in_order([code for _, code in context.exprTypes])
        return Code(f"self.log([{', '.join(texts)}], {context.namespace!r})", before)


def is_double(value: str) -> str:
    """Text of whether a value of a union is a double, as most are; short.py knows it."""
    return (
        f"{value} is not None and type({value}) is dict and len({value}) == 1"
        f" and 'double' in {value} and type({value}['double']) is float"
    )


def is_other(kind: str, value: str) -> str:
    """Text of whether a value of a union is clearly none of a kind; short.py knows it."""
    tagged = f"type({value}) is dict and len({value}) == 1"
    return f"{value} is None or {tagged} and {kind!r} not in {value}"


_NAMED = ("record", "enum", "fixed")


def _full_name(schema: dict[str, Any]) -> str:
    namespace = schema.get("namespace", "").strip()
    return f"{namespace}.{schema['name']}" if namespace else str(schema["name"])


class _Assignments:
    """What _let takes."""

    def __init__(self, names: list[Any]) -> None:
        self.nameTypeExpr = names
