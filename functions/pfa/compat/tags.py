"""Tag values where an expression of another type is used for a union.

A value of a union is null or ``{branch: value}``; titus leaves it bare when the expression that it
comes from is of one branch's type. Whoever reads it then guesses: from an enum's symbol a string
cannot be told, nor from a map with one key a tag. titus's type checker knows the branch, so that
the generated code can say it, as it does for PFA's ``upcast``. Only engines that are made with the
style STYLE do: titus's own tests hold what comes bare from the others.
"""

import json
from typing import Any

from pfa.compat.loader import mends

STYLE = "tagged"  # of titus.genpy.PFAEngine.fromJson

_NUMBERS = ("int", "long", "float", "double")  # each is accepted where a later one is wanted


class _Code(str):
    """Generated code that knows the type of its value."""

    __slots__ = ("avro_type",)

    avro_type: Any


def branch_of(union: Any, made: Any) -> Any:
    """Give the branch of a union that takes values of a type: the same, or the nearest wider."""
    accepting = [branch for branch in union.types if branch.accepts(made)]
    same = [branch for branch in accepting if branch.name == made.name]
    nearest = sorted(accepting, key=lambda b: _NUMBERS.index(b.name) if b.name in _NUMBERS else -1)
    return (same or nearest or [None])[0]


@mends("titus.genpy")
def _tags(genpy: Any) -> None:
    union_class = genpy.titus.datatype.AvroUnion
    bare_classes = (genpy.titus.datatype.AvroType,)
    stock, stock_task = genpy.GeneratePython.__call__, genpy.GeneratePython.makeTask

    def tagged(code: Any, wanted: Any) -> Any:
        made = getattr(code, "avro_type", None)
        if not isinstance(wanted, union_class) or not isinstance(made, bare_classes):
            return code
        if isinstance(made, union_class) or made.name == "null":
            return code
        branch = branch_of(wanted, made)
        return code if branch is None else f"wrapAsUnion({code}, {branch.name!r})"

    def tag_last(codes: Any, wanted: Any) -> Any:
        return [*codes[:-1], tagged(codes[-1], wanted)]

    def clauses(_task: Any, context: Any, _options: Any) -> None:
        if context.elseClause is not None:
            context.thenClause = tag_last(context.thenClause, context.retType)
            context.elseClause = tag_last(context.elseClause, context.retType)

    def cond(_task: Any, context: Any, _options: Any) -> None:
        if context.complete:
            for block in context.walkBlocks:
                block.exprs = tag_last(block.exprs, context.retType)

    def cast(task: Any, context: Any, options: Any) -> None:
        if not context.partial and isinstance(context.retType, union_class):
            for case, _ in context.cases:
                case.clause = tag_last(case.clause, context.retType)
            context.cases = [(case, stock(task, case, options)) for case, _ in context.cases]

    def last(_task: Any, context: Any, _options: Any) -> None:
        context.exprs = tag_last(context.exprs, context.retType)

    def function(_task: Any, context: Any, _options: Any) -> None:
        context.exprs = tag_last(context.exprs, context.ret)

    def call(_task: Any, context: Any, _options: Any) -> None:
        if isinstance(context.fcn, genpy.titus.pfaast.UserFcn | genpy.titus.pfaast.EmitFcn):
            wanted = [next(iter(each.values())) for each in context.fcn.sig.params]
            context.args = [
                tagged(code, to_type(pattern)) if isinstance(pattern, union_pattern) else code
                for code, pattern in zip(context.args, wanted, strict=True)
            ]

    def new_object(_task: Any, context: Any, _options: Any) -> None:
        of = context.retType
        fields = {n: f.avroType for n, f in of.fieldsDict.items()} if of.name != "map" else {}
        context.fields = {
            name: tagged(code, fields[name] if fields else of.values)
            for name, code in context.fields.items()
        }

    def new_array(_task: Any, context: Any, _options: Any) -> None:
        context.items = [tagged(code, context.retType.items) for code in context.items]

    def update(_task: Any, context: Any, _options: Any) -> None:
        context.to = tagged(context.to, context.setType)

    def engine(_task: Any, context: Any, _options: Any) -> None:
        if context.method != genpy.Method.EMIT:
            codes, symbols, calls = context.action
            context.action = (tag_last(codes, context.output), symbols, calls)

    union_pattern = genpy.titus.P.Union
    to_type = genpy.titus.P.toType
    forms = {
        genpy.If: clauses,
        genpy.IfNotNull: clauses,
        genpy.Unpack: clauses,
        genpy.Cond: cond,
        genpy.CastBlock: cast,
        genpy.Try: last,
        genpy.FcnDef: function,
        genpy.Call: call,
        genpy.NewObject: new_object,
        genpy.NewArray: new_array,
        genpy.AttrTo: update,
        genpy.CellTo: update,
        genpy.PoolTo: update,
        genpy.EngineConfig: engine,
    }
    mend_of = {form.Context: mend for form, mend in forms.items()}

    class Tagging(genpy.GeneratePythonPure):  # type: ignore[misc]
        def __call__(self, context: Any, options: Any) -> Any:
            mend = mend_of.get(type(context))
            if mend is not None:
                mend(self, context, options)
            code = _Code(stock(self, context, options))
            code.avro_type = getattr(context, "retType", None)
            return code

    genpy.GeneratePython.makeTask = staticmethod(
        lambda style: Tagging() if style == STYLE else stock_task(style)
    )


@mends("titus.genpy")
def _untag(genpy: Any) -> None:
    """Give ``ifnotnull`` the value without its tag.

    titus leaves the tag of a record with a namespace, which is tagged by its short name, and that
    of a narrower number.
    """

    def untagged(values: Any, types: Any) -> Any:
        return {name: _without_tag(value, types[name]) for name, value in values.items()}

    genpy.untagUnions = untagged


def _without_tag(value: Any, type_text: str) -> Any:
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((tag, inner),) = value.items()
    wanted = json.loads(type_text)
    if isinstance(wanted, list):  # of several branches, so that the tag stays
        return value
    name = wanted
    if isinstance(wanted, dict):
        name = wanted.get("name", wanted["type"])
    if tag.rpartition(".")[2] == name.rpartition(".")[2]:
        return inner
    narrower = _NUMBERS[: _NUMBERS.index(name)] if name in _NUMBERS else ()
    return inner if tag in narrower else value
