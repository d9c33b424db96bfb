"""Literals, variables, paths into values, new arrays, maps and records, and binary data."""

import json
import math
from typing import Any

from pfa.compat.loader import load
from pfa.compiler import runtime
from pfa.compiler.base import Base
from pfa.compiler.code import CONSTANT, VARIABLE, Code, FunctionCode, Statement, variable
from pfa.kernels.prepared import made

_genpy = load("titus.genpy")
_datatype = load("titus.datatype")

LONG_LITERAL = 500  # characters; longer ones are bound, so that the source stays readable


class Values(Base):
    """Methods of the task for these forms."""

    def _literal_null(self, _context: Any) -> Code:
        return Code("None", kind=CONSTANT, value=None)

    def _doc(self, _context: Any) -> Code:
        return Code("None", kind=CONSTANT, value=None)

    def _literal_boolean(self, context: Any) -> Code:
        return self.literal(context.value)

    _literal_int = _literal_long = _literal_boolean
    _literal_string = _literal_base64 = _literal_boolean

    def _literal_double(self, context: Any) -> Code:
        return self.literal(float(context.value))

    _literal_float = _literal_double

    def _literal(self, context: Any) -> Code:
        return self.literal(_datatype.jsonDecoder(context.retType, json.loads(context.value)))

    def literal(self, value: Any) -> Code:
        """Code of a value of the document: a scalar as it is, all else bound."""
        scalar = value is None or isinstance(value, bool | int | float | str | bytes)
        if not scalar or (isinstance(value, float) and not math.isfinite(value)):
            return Code(self.bind("literal", value), kind=CONSTANT, value=value)
        text = repr(value)
        if len(text) > LONG_LITERAL:
            text = self.bind("literal", value)
        elif text.startswith("-"):
            text = f"({text})"
        return Code(text, kind=CONSTANT, value=value)

    def _ref(self, context: Any) -> Code:
        given = context.name == "input" and self.input_is_given
        return Code(variable(context.name), kind=VARIABLE, given=given)

    def _new_object(self, context: Any) -> Code:
        keys = list(context.fields)
        before, texts, depth = self.temporaries.in_order(list(context.fields.values()))
        items = ", ".join(f"{key!r}: {text}" for key, text in zip(keys, texts, strict=True))
        return Code(f"{{{items}}}", before, depth=depth + 1)

    def _new_array(self, context: Any) -> Code:
        before, texts, depth = self.temporaries.in_order(context.items)
        return Code(f"[{', '.join(texts)}]", before, depth=depth + 1)

    def _let(self, context: Any) -> Code:
        names = [variable(name) for name, _, _ in context.nameTypeExpr]
        before, texts, _ = self.temporaries.in_order([code for _, _, code in context.nameTypeExpr])
        assign = f"{', '.join(names)} = {', '.join(texts)}"
        return Code("None", [*before, assign], CONSTANT, value=None)

    _set_var = _let

    def path(self, path: list[Any]) -> list[Code]:
        """Code of the steps of a path."""
        steps = []
        for step in path:
            if isinstance(step, _genpy.ArrayIndex):
                steps.append(step.i)
            elif isinstance(step, _genpy.MapIndex):
                steps.append(step.k)
            else:
                steps.append(Code(repr(step.f), kind=CONSTANT, value=step.f))
        return steps

    def get(self, base: Code, path: list[Any], codes: tuple[int, int], form: str, pos: Any) -> Code:
        """Code of what is at a path of a value; the fields of a record are always there."""
        before, (text, *steps), depth = self.temporaries.in_order([base, *self.path(path)])
        fields = 0
        if self.trusts_records:
            while fields < len(path) and isinstance(path[fields], _genpy.RecordIndex):
                text += f"[{steps[fields]}]"
                fields += 1
        if fields < len(path):
            maker = made(runtime.getter, codes, form, pos, len(path) - fields)
            short = "".join(f"[{{{1 + number}}}]" for number in range(len(path) - fields))
            get = self.bind(f"get_{form}", maker, "{0}" + short)
            text = f"{get}({', '.join([text, *steps[fields:]])})"
        return Code(text, before, depth=depth + 1, given=base.given)

    def _attr_get(self, context: Any) -> Code:
        return self.get(context.expr, context.path, (2000, 2001), "attr", context.pos)

    def _attr_to(self, context: Any) -> Code:
        update = self.bind_as("update", _genpy.update)
        steps = self.path(context.path)
        to = self.update_function(context.to)
        before, texts, depth = self.temporaries.in_order([context.expr, *steps, to])
        path = ", ".join(texts[1:-1])
        text = (
            f"{update}(state, None, {texts[0]}, [{path}], {texts[-1]}, 2002, 2003, 'attr-to',"
            f" {context.pos!r})"
        )
        return Code(text, before, depth=depth + 1)

    def update_function(self, to: Code | FunctionCode) -> Code:
        """What titus's ``update`` takes: a value, or a function of the old one."""
        if not isinstance(to, FunctionCode):
            return to
        code = to.as_titus(f"f_{self.temporaries.new()}")
        if to.library:  # titus has an error there
            return code
        updater = self.bind_as("Updater", runtime.Updater)
        return Code(f"{updater}({code.text})", code.before, depth=code.depth + 1)

    def _pack(self, context: Any) -> Code:
        pack = self.bind_as("pack", _genpy.pack)
        declared = context.exprsDeclareRes
        before, texts, depth = self.temporaries.in_order([each.value for each in declared])
        items = []
        for text, each in zip(texts, declared, strict=True):
            each.value = None  # str() writes it too
            items.append(f"({text}, {each})")
        text = f"{pack}(state, None, [{', '.join(items)}], {context.pos!r})"
        return Code(text, before, depth=depth + 2)

    def _unpack(self, context: Any) -> Code:
        maker = runtime.unpacker(_genpy.unpackOne, _genpy.MisalignedPacking, _genpy.DynamicScope)
        unpack = self.bind_as("unpack_values", maker)
        no_match = self.bind_as("NO_MATCH", runtime.NO_MATCH)
        formats = ", ".join(map(str, context.formatter))
        data = context.bytes
        values = self.temporaries.new()
        before: list[Statement] = [
            *data.before,
            f"{values} = {unpack}({data.text}, [{formats}])",
        ]
        names = ", ".join(variable(each.value) for each in context.formatter)
        then: list[Statement] = [f"[{names}] = {values}"]
        if context.elseClause is None:
            then += self.run(context.thenClause)
            return self.conditional(before, f"{values} is not {no_match}", then, None)
        result = self.temporaries.new()
        return self.conditional(
            before,
            f"{values} is not {no_match}",
            [*then, *self.into(result, context.thenClause)],
            self.into(result, context.elseClause),
            result,
        )
