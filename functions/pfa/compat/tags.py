"""Tag values where an expression of another type is used for a union.

A value of a union is null or ``{branch: value}``; titus leaves it bare when the expression that it
comes from is of one branch's type. Whoever reads it then guesses: from an enum's symbol a string
cannot be told, nor from a map with one key a tag. titus's type checker knows the branch, so that
the generated code can say it, as it does for PFA's ``upcast``. Only engines that are made with one
of these styles do: titus's own tests hold what comes bare from the others.
"""

import json
from collections.abc import Callable
from typing import Any

from pfa.compat.loader import mends

# Styles of titus.genpy.PFAEngine.fromJson. A record's tag is its short name. With SHORT_NAMES,
# ``ifnotnull`` knows it by that, also if it has a namespace; titus expects the full name there,
# which no value has, and hands on the value with its tag.
TAGGED = "tagged"
SHORT_NAMES = "tagged, short names"

_NUMBERS = ("int", "long", "float", "double")  # each is accepted where a later one is wanted


class _Tag(str):
    """The tag of a branch, where titus takes a type's schema."""

    __slots__ = ()

    def __repr__(self) -> str:
        return json.dumps(str(self))


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


# What adds the tags to a node's parts, by the class of its context.
_FORMS: dict[Any, Callable[[Any, Any, Any], None]] = {}


def add_tags(task: Any, context: Any, options: Any) -> None:
    """Tag the parts of a node of which the type checker says that they go into a union.

    ``task`` makes code of nodes: ``wrap(code, tag)`` that of a tagged value, ``again(context,
    options)`` that of a node whose parts changed; code has an ``avro_type``.
    """
    add = _FORMS.get(type(context))
    if add is not None:
        add(task, context, options)


@mends("titus.genpy")
def _tags(genpy: Any) -> None:
    union_class = genpy.titus.datatype.AvroUnion
    bare_classes = (genpy.titus.datatype.AvroType,)
    stock, stock_task = genpy.GeneratePython.__call__, genpy.GeneratePython.makeTask

    def tagged(task: Any, code: Any, wanted: Any) -> Any:
        made = getattr(code, "avro_type", None)
        if not isinstance(wanted, union_class) or not isinstance(made, bare_classes):
            return code
        if isinstance(made, union_class) or made.name == "null":
            return code
        branch = branch_of(wanted, made)
        return code if branch is None else task.wrap(code, branch.name)

    def tag_last(task: Any, codes: Any, wanted: Any) -> Any:
        return [*codes[:-1], tagged(task, codes[-1], wanted)]

    def if_not_null(task: Any, context: Any, _options: Any) -> None:
        clauses(task, context, _options)
        if task.short_names:
            context.symbolTypeResult = [
                (symbol, _Tag(type_.name) if hasattr(type_, "fullName") else type_, result)
                for symbol, type_, result in context.symbolTypeResult
            ]

    def clauses(task: Any, context: Any, _options: Any) -> None:
        if context.elseClause is not None:
            context.thenClause = tag_last(task, context.thenClause, context.retType)
            context.elseClause = tag_last(task, context.elseClause, context.retType)

    def cond(task: Any, context: Any, _options: Any) -> None:
        if context.complete:
            for block in context.walkBlocks:
                block.exprs = tag_last(task, block.exprs, context.retType)

    def cast(task: Any, context: Any, options: Any) -> None:
        if not context.partial and isinstance(context.retType, union_class):
            for case, _ in context.cases:
                case.clause = tag_last(task, case.clause, context.retType)
            context.cases = [(case, task.again(case, options)) for case, _ in context.cases]

    def last(task: Any, context: Any, _options: Any) -> None:
        context.exprs = tag_last(task, context.exprs, context.retType)

    def function(task: Any, context: Any, _options: Any) -> None:
        context.exprs = tag_last(task, context.exprs, context.ret)

    def call(task: Any, context: Any, _options: Any) -> None:
        if isinstance(context.fcn, genpy.titus.pfaast.UserFcn | genpy.titus.pfaast.EmitFcn):
            wanted = [next(iter(each.values())) for each in context.fcn.sig.params]
            context.args = [
                tagged(task, code, to_type(pattern)) if isinstance(pattern, union_pattern) else code
                for code, pattern in zip(context.args, wanted, strict=True)
            ]

    def new_object(task: Any, context: Any, _options: Any) -> None:
        of = context.retType
        fields = {n: f.avroType for n, f in of.fieldsDict.items()} if of.name != "map" else {}
        context.fields = {
            name: tagged(task, code, fields[name] if fields else of.values)
            for name, code in context.fields.items()
        }

    def new_array(task: Any, context: Any, _options: Any) -> None:
        context.items = [tagged(task, code, context.retType.items) for code in context.items]

    def update(task: Any, context: Any, _options: Any) -> None:
        context.to = tagged(task, context.to, context.setType)

    def engine(task: Any, context: Any, _options: Any) -> None:
        if context.method != genpy.Method.EMIT:
            codes, symbols, calls = context.action
            context.action = (tag_last(task, codes, context.output), symbols, calls)

    union_pattern = genpy.titus.P.Union
    to_type = genpy.titus.P.toType
    forms = {
        genpy.If: clauses,
        genpy.IfNotNull: if_not_null,
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
    _FORMS.update({form.Context: mend for form, mend in forms.items()})

    class Tagging(genpy.GeneratePythonPure):  # type: ignore[misc]
        def __init__(self, short_names: bool) -> None:
            self.short_names = short_names

        def __call__(self, context: Any, options: Any) -> Any:
            add_tags(self, context, options)
            code = _Code(stock(self, context, options))
            code.avro_type = getattr(context, "retType", None)
            return code

        def wrap(self, code: Any, tag: str) -> str:
            return f"wrapAsUnion({code}, {tag!r})"

        def again(self, context: Any, options: Any) -> Any:
            return stock(self, context, options)

    def task_of(style: Any) -> Any:
        if callable(style):
            return style  # a task of our own
        if style in (TAGGED, SHORT_NAMES):
            return Tagging(style == SHORT_NAMES)
        return stock_task(style)

    genpy.GeneratePython.makeTask = staticmethod(task_of)


@mends("titus.genpy")
def _untag(genpy: Any) -> None:
    """Take the tag of a narrower number off in ``ifnotnull``, where titus leaves it."""
    stock = genpy.untagUnions

    def untagged(values: Any, types: Any) -> Any:
        numbers = {
            name: value[tag]
            for name, value in values.items()
            if isinstance(value, dict) and len(value) == 1
            for tag in value
            if tag in _NUMBERS and json.loads(types[name]) in _NUMBERS[_NUMBERS.index(tag) :]
        }
        return stock({**values, **numbers}, types)

    genpy.untagUnions = untagged
