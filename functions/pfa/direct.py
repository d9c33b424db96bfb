"""The short way of a record: one function reads it, scores it and writes the answer.

Only for documents without state, and only while all goes well: whatever goes wrong in it, the
caller does all of it again the long way, which has the words for it.
"""

import ast
import re
from ast import literal_eval
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from pfa import convert
from pfa.columns import Keys
from pfa.compiler.code import TOO_DEEP, Block, Module, Statement, changed, placed, render
from pfa.schema import Type, items_of
from pfa.specialise import STRING

if TYPE_CHECKING:
    from pfa.steps import Together

# A field of the input; a string; a name.
_TOKEN = re.compile(rf"v_input\['([A-Za-z_][A-Za-z0-9_]*)'\]|{STRING}|[A-Za-z_]\w*")
_STATE = re.compile(r"\bstate\b")
# Comments between the reading of a record, what is done with it, and the writing of the answer.
_FORM = re.compile(r"^    # (by field|without tags|as a whole): (.+)\n", re.MULTILINE)
_ANSWER = "# the answer"
FILE, BATCH = "<model>", "<batch>"  # as tracebacks name the module, and that of a Loop
_ROW = "row_"  # how names of the reading of a row begin
_SINGLY = 6  # values of a record, below which a tuple of them is no faster
_NAME = re.compile(r"[A-Za-z_]\w*")
_OF_FIELDS = re.compile(r"k\d+_of_fields\(\([\w, ]*\)\)")  # see kernels/tree
# What is asked of an input that is a map: the value of a key; whether there is one; how many.
_KEY = re.compile(
    rf"v_input\[({STRING})\]|\(({STRING}) in v_input\)|len\(v_input\)|{STRING}|[A-Za-z_]\w*"
)


def compiled_of(program: Any, read: Type, write: Type) -> tuple[Module, CodeType]:
    """Return what ``module_of`` does, and its code."""
    module = module_of(program, read, write)
    try:
        return module, compiled(module.source)
    except TOO_DEEP:
        if program.is_flat:
            raise
        program.flatten()
        return compiled_of(program, read, write)


def module_of(program: Any, read: Type, write: Type) -> Module:
    """Return the module with the function ``score(record)`` of a program without state."""
    from pfa.compiler import bare, short  # not at the top: an artifact does without

    reading = convert.reader(read, "record", "in_", whole=False)
    own: list[Statement] = program.functions
    result = placed(f"result = {program.result.text}", program.result.pos)
    body: list[Statement] = [*program.action, result]
    if not program.has_limit:
        own, body = short.unlimited(own), short.unlimited(body)
    if not short.catches_errors([*own, *body]):
        forms = short.of_functions(program.expressions, program.short)
        own, body = short.shortened(own, forms), short.shortened(body, forms)
    body = short.of_input(body)
    by_field = _by_field(body, reading.fields) if reading.fields else None
    form, made = "by field", [*reading.fields.values()]
    types = {name: each.type for name, each in zip(made, read.fields, strict=True)}
    if by_field and _is_for_trees(types, by_field):
        reading = convert.reader(read, "record", "in_", whole=False, bare=True)
    if by_field is None:
        untagged = bare.of_map(body, read)
        body = untagged or body
        reading = convert.reader(read, "record", "in_", bare=untagged is not None)
        by_field = [f"v_input = {reading.value}", *body]
        form, made = ("without tags" if untagged else "as a whole"), [reading.value]
    writing = convert.writer_code(write, "result", "out_")
    text = "\n".join(render([*own, *body])).replace("(self, state", "(")
    if "state" in text and _STATE.search(text):
        by_field.insert(0, "state = new_state()")
    if program.is_flat:
        from pfa.compiler import outline

        own, by_field = outline.flat(own), outline.flat_body(by_field)
    inside: list[Statement] = [*reading.lines, f"# {form}: {', '.join(made)}", *by_field]
    inside += [_ANSWER, *writing.lines, f"return {writing.value}"]
    score = Block("def score(record):", inside)
    return Module([*reading.prelude, *writing.prelude, *own, score])


def _by_field(body: list[Statement], fields: dict[str, str]) -> list[Statement] | None:
    """Return the body with fields of the input as variables; None if it needs the whole input."""
    whole = False

    def replace(match: re.Match[str]) -> str:
        nonlocal whole
        if match[1] is not None and match[1] in fields:
            return fields[match[1]]
        whole = whole or match[0] == "v_input"
        return match[0]

    def renamed(text: str) -> str:
        return _TOKEN.sub(replace, text) if "v_input" in text else text

    made = changed(body, renamed)
    return None if whole else made


def _is_for_trees(types: dict[str, Type], body: list[Statement]) -> bool:
    """Tell whether all that is done with unions is to give them to trees, which need no tags."""
    unions = {name for name, each in types.items() if each.kind == "union"}
    if not unions or any(each.kind in ("record", "array", "map") for each in types.values()):
        return False
    lines = (_NAME.findall(_OF_FIELDS.sub("", line)) for line in render(body))
    return all(map(unions.isdisjoint, lines))


class Loop:
    """The function ``score(rows, append)`` of the records of a batch, made of the one for one.

    It appends the answer to each row, until one fails. A row is a record, or the tuple of the
    values that are asked for, see ``keys``.
    """

    def __init__(self, source: str, read: Type) -> None:
        """Take what ``module_of`` wrote, and the type of the input."""
        self.before, _, body = source.partition("def score(record):\n")
        self.own = self.before.count("\n")  # lines before the function, the same in both
        form = _FORM.search(body)
        assert form is not None  # noqa: S101 - module_of wrote it
        self.head, self.reading = "record", body[: form.start()]
        self.body, _, self.writing = body[form.end() :].rpartition(f"    {_ANSWER}\n")
        self.last = source.count("\n") - self.writing.count("\n") - 1  # of the body, in the source
        self.keys: list[str] = []  # of a record, or of a map that has no others
        self.singly = False  # a row is a record all the same
        types: dict[str, Type] = {}
        if form[1] == "by field":
            self.keys = [made.name for made in read.fields]
            types = {
                name: made.type for name, made in zip(form[2].split(", "), read.fields, strict=True)
            }
        elif read.kind == "map" and items_of(read).kind not in ("record", "array", "map"):
            self.by_keys(f"    v_input = {form[2]}\n")
            types = {f"in_key{number}": items_of(read) for number in range(len(self.keys))}
        if types:
            bare = form[1] == "without tags" or _is_for_trees(types, [self.body])
            made = convert.row_reader(read, types, _ROW, bare=bare)
            self.head, self.reading = made.value or ", ".join(types), ""
            if len(types) < _SINGLY:
                self.head, self.singly = "record", True
                gets = zip(types, self.keys, strict=True)
                self.reading = "".join(f"    {name} = record[{key!r}]\n" for name, key in gets)
            self.before += "".join(f"{line}\n" for line in made.prelude)
            self.body = "".join(f"    {line}\n" for line in made.lines) + self.body

    def by_keys(self, whole: str) -> None:
        """Have variables for the values of the input, a map, if all that is asked for is known."""
        variables: dict[str, str] = {}
        body = self.body.replace(whole, "", 1)
        for found in _KEY.finditer(body):
            if key := found[1] or found[2]:
                variables.setdefault(literal_eval(key), f"in_key{len(variables)}")

        def replace(found: re.Match[str]) -> str:
            if found[1]:
                return variables[literal_eval(found[1])]
            if found[2]:
                return "(True)"
            return str(len(variables)) if found[0] == "len(v_input)" else found[0]

        body = _KEY.sub(replace, body)
        if variables and all(each[0] != "v_input" for each in _KEY.finditer(body)):
            self.body, self.keys = body, [*variables]

    def answer_keys(self) -> Keys:
        """Return the keys of the answers if they are dicts that are made here; else {}."""
        text = self.body.rpartition("\n    result = ")[2].rstrip()
        if text.isidentifier():
            made = re.findall(rf"^( *){text} = (.+)$", self.body, re.MULTILINE)
            text = made[0][1] if len(made) == 1 and made[0][0] == "    " else text
        return _keys(ast.parse(text, mode="eval").body)

    def source(self, checked: bool) -> str:
        """Return the module; answers are as the engine gives them if ``checked`` is false."""
        *lines, last = self.writing.splitlines()
        answer = last.removeprefix("    return ") if checked else "result"
        lines = [
            *(self.reading + self.body).splitlines(),
            *(lines if checked else []),
            f"    append({answer})",
        ]
        inside = "\n".join(f"    {line}" for line in lines)
        return f"{self.before}def score(rows, append):\n    for {self.head} in rows:\n{inside}\n"

    def line(self, number: int) -> int:
        """Return which line for one record a line of the module is made of; 0 if of none."""
        if number <= self.own:
            return number
        line = number + self.last - 2 - (self.before + self.reading + self.body).count("\n")
        return line if line > self.own else 0

    def function(self, checked: bool, names: dict[str, Any], read: Type, write: Type) -> Any:
        """Compile the function; the rest is as in ``function_of``."""
        return _of_rows(self.source(checked), names, read, write, "score")

    def together(
        self, checked: bool, names: dict[str, Any], read: Type, write: Type
    ) -> "Together | None":
        """Compile what scores rows side by side, None if the loop does as well."""
        from pfa import steps  # not at the top: one record does without

        made = steps.of_loop(self.source(checked), names)
        if made is None:
            return None
        module, forests = made
        return steps.Together(_of_rows(module, names, read, write, "steps"), forests)


def _of_rows(
    module: str | ast.Module, names: dict[str, Any], read: Type, write: Type, name: str
) -> Callable[..., Any]:
    """Compile a module of rows; the rest is as in ``function_of``."""
    names = {**names, **convert.read_names(read, _ROW)}
    return function_of(compiled(module, BATCH), names, read, write, name)


def _keys(node: ast.expr) -> Keys:
    """Return the keys that a dict has if it is written out."""
    made: Keys = {}
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return {}
            made[key.value] = _keys(value)
        if len(made) < len(node.keys):
            return {}
    return made


def compiled(source: str | ast.Module, file: str = FILE) -> CodeType:
    """Compile the module that ``module_of`` wrote, or one made of it."""
    return compile(source, file, "exec", dont_inherit=True)


def names_outside(code: CodeType) -> set[str]:
    """Return the names that a module needs, but does not define."""
    functions = [each for each in code.co_consts if isinstance(each, CodeType)]
    return _names_in(code) - {each.co_name for each in functions}


def _names_in(code: CodeType) -> set[str]:
    inside = (_names_in(each) for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*inside)


def function_of(
    code: CodeType, names: dict[str, Any], read: Type, write: Type, name: str = "score"
) -> Callable[..., Any]:
    """Run the module that ``module_of`` wrote; return its function.

    ``names`` are those that the program's code sees, and ``new_state``.
    """
    given = {**names, **convert.read_names(read, "in_"), **convert.write_names(write, "out_")}
    given |= {"self": None, "state": None}  # what is handed on, and not used
    exec(code, given)  # noqa: S102 - see program.py
    function: Callable[..., Any] = given[name]
    return function
