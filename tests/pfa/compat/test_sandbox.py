"""No text of a document is run: by how it is quoted, and by the allow-list besides."""

import ast
import builtins
import gzip
import json
import subprocess
import sys
from pathlib import Path

import avro.schema
import pytest

from pfa import compat
from pfa.compat import sandbox
from pfa.compat.allow_list import Rejected
from pfa.compat.loader import load
from tests.pfa.compat import probes

ROOT = Path(__file__).parents[3]
genpy = load("titus.genpy")
errors = load("titus.errors")
OF_TITUS = (errors.PFAException, errors.AvroException, errors.SchemaParseException)


@pytest.fixture
def ran(monkeypatch):
    """Make code in a probe visible: gives a list that grows when any is run."""
    seen = []
    monkeypatch.setattr(builtins, "pfa_probe", lambda: seen.append("ran"), raising=False)
    return seen


def outcome(document, record):
    """What a document comes to: the error of loading it, or of scoring, or the answer."""
    try:
        engine = compat.engine(document)
    except OF_TITUS as error:
        return "refused", error
    except Exception as error:
        assert type(error).__module__.startswith("avro."), repr(error)
        return "refused", error
    try:
        engine.begin()
        answer = engine.action(record)
        engine.end()
    except Exception as error:
        return "failed", error
    return "answered", answer


@pytest.mark.parametrize("payload", probes.PAYLOADS, ids=ascii)
def test_text_of_a_document_is_not_run(ran, payload):
    for where, document, record, expected in probes.slots(payload):
        result, answer = outcome(document, record)
        assert ran == [], where
        if expected is probes.REFUSED:
            assert result == "refused", (where, answer)
        elif expected is not None:
            assert (result, answer) == ("answered", expected), where


@pytest.mark.parametrize("payload", probes.FEW, ids=ascii)
def test_quoting_alone_keeps_text_from_being_run(ran, monkeypatch, payload):
    monkeypatch.setattr(genpy, "exec", exec)
    for where, document, record, _ in probes.slots(payload):
        outcome(document, record)
        assert ran == [], where


STOCK = """
import builtins, inspect, json, sys, warnings
warnings.simplefilter("ignore")
import numpy
numpy.float_, inspect.getargspec = numpy.float64, inspect.getfullargspec
sys.stdout, out = sys.stderr, sys.stdout  # documents print
import probes
from titus.genpy import PFAEngine
assert PFAEngine.fromJson.__module__ == "titus.genpy"
ran, where_ran = [], set()
builtins.pfa_probe = lambda: ran.append(1)
for payload in probes.PAYLOADS:
    for where, document, record, _ in probes.slots(payload):
        if where.endswith(", ifnotnull") or where.startswith("engine"):
            try:
                PFAEngine.fromJson(document)[0].action(record)
            except Exception:
                pass
            if ran:
                where_ran.add(where)
            ran.clear()
json.dump(sorted(where_ran), out)
"""


def test_the_probes_do_run_in_stock_titus():
    """Without the mends the same documents run code: the tests above can fail."""
    run = subprocess.run(
        [sys.executable, "-c", STOCK],
        env={"PYTHONPATH": str(Path(probes.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {
        "engine name",
        "record doc, ifnotnull",
        "record extra, ifnotnull",
        "field default, ifnotnull",
        "field doc, ifnotnull",
        "enum doc, ifnotnull",
        "fixed extra, ifnotnull",
    } <= set(json.loads(run.stdout))


@pytest.mark.parametrize("name", ["_", "A1_b", "a" * 300])
def test_good_engine_names(name):
    engine = compat.engine({"name": name, "input": "int", "output": "int", "action": "input"})
    assert engine.action(1) == 1


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a.b", "a b", "a\n", "é", "ª", "a(", "٣"])
def test_bad_engine_names(name):
    with pytest.raises(errors.PFASemanticException, match="engine's name"):
        compat.engine({"name": name, "input": "int", "output": "int", "action": "input"})


def test_json_words_in_schemas():
    """The words true, false and null, and numbers without a literal in Python, are values."""
    fields = [
        {"name": "a", "type": ["null", "double"], "default": None, "x": [True, False, None]},
        {"name": "b", "type": "boolean", "default": True},
        {"name": "c", "type": "double", "default": 1.5, "x": [1e999, -1e999]},
    ]
    of = {"type": "record", "name": "R", "fields": fields}
    array = {"new": ["input"], "type": {"type": "array", "items": "R"}}
    engine = compat.engine({"input": of, "output": "R", "action": {"a.head": [array]}})
    record = {"a": {"double": 2.0}, "b": False, "c": 3.0}
    assert engine.action(record) == record
    for number in (1e999, -1e999):
        engine = compat.engine({"input": "null", "output": "double", "action": [number]})
        assert engine.action(None) == number


# --- the allow-list by itself


@pytest.fixture(scope="module")
def generated():
    """The code of a document with some of everything, as text."""
    document = {
        "input": "double",
        "output": "double",
        "method": "emit",
        "fcns": {"f": {"params": [{"x": "double"}], "ret": "double", "do": {"+": ["x", 1]}}},
        "cells": {"c": {"type": "double", "init": 1.0}},
        "begin": [{"let": {"x": 1}}],
        "action": [{"cell": "c", "to": {"fcn": "u.f"}}, {"u.f": "input"}, {"emit": "input"}],
        "end": [{"log": ["name"]}],
    }
    texts = []
    checked = genpy.exec
    genpy.exec = lambda text, names: (texts.append(text), checked(text, names))
    try:
        compat.engine(document)
    finally:
        genpy.exec = checked
    return texts[0]


def test_the_code_itself_is_accepted(generated):
    sandbox.compile_checked(generated)


EXPRESSIONS = """
__import__('os').system('true')
().__class__
().__class__.__bases__[0].__subclasses__()
scope.__class__
scope.symbols
scope.get.__func__
scope.get('x').__class__
scope['x']
self.__class__
self.__init__
self.__dict__
self.f.__class__
self.f['emit'].__globals__
self.f['emit'].engine
self.f['emit'].engine.config
self.f['emit'].engine.emit.__self__
self.f['emit'].engine.exit(1)
self.f['u.f'].paramNames
self.f
self.f[scope.get('x')]
self.f['a.' + scope.get('x')]
self.f['u.' * 9]
self.cells['c']
self.cells['c'].lock
self.cells['c'].value.__class__
self.cells['c'].__init__()
self.cells.clear()
self.pools['p'].update.__func__
self.config.metadata.clear()
self.config.name.__class__
self.options.__init__(None, None)
self.parser.parse(['"int"'])
self.begin()
self.snapshot()
self.avroOutputDataFileWriter('/tmp/x')
self
PFAEngine
PFAEngine.fromJson({})
labeledFcn.__globals__
do.__globals__['__builtins__']
do
get
math
math.__loader__
math.inf
state.rand
state.parser
state.__class__
error.__code__
eval('1')
exec('1')
open('/etc/passwd')
getattr(scope, 'x')
type(scope)
print(1)
globals()
breakpoint()
lambda: 1 if True else 2
lambda state, scope, x=1: 1
lambda *state: 1
lambda state, *, scope: 1
lambda x: 1
(lambda state, scope: 1)(state, scope)
do(*[1, 2])
do(**{'a': 1})
do(1, x=2)
[*[1]]
{**{}}
{1: 2}
{scope.get('x'): 1}
{scope.get('x')}
[x for x in [1]]
{x for x in [1]}
{x: x for x in [1]}
(x for x in [1])
f'{scope}'
f''
t''
(x := 1)
(do := 1)
1 if 2 else 3
1 < 2
1 == 1
9 ** 9
9 * 9
9 << 9
9 % 9
9 / 9
9 // 9
'a' % 1
+1
1j
...
b''.join
'{0.__class__}'.format(scope)
''.join([])
[1, 2][0]
[1, 2][0:1:2]
await scope
yield
yield 1
yield from scope
__name__
__builtins__
__build_class__
Exception
KeyError()
super().begin()
len
float
set.union
last.x
input.__class__
""".strip().splitlines()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_hostile_expressions(generated, expression):
    line = "scope.let({'x': 1})"
    assert generated.count(line) == 1
    for hostile in (
        expression,
        f"do({expression})",
        f"[{expression}]",
        f"scope.let({{'x': {expression}}})",
        f"ifThen(state, scope, lambda state, scope: {expression}, lambda state, scope: do(1))",
    ):
        if hostile == "self":  # what an empty initialize() consists of
            continue
        with pytest.raises((Rejected, SyntaxError)):
            sandbox.compile_checked(generated.replace(line, hostile))


STATEMENTS = r"""
import os
from os import system
import math as math
global x
nonlocal x
del self.cells
del scope
del self.f['+']
assert True
pass; import os
x = 1
do = 1
self.x = 1
self.f = 1
self.__class__ = 1
self.f['x'].y = 1
self.f[x] = 1
self.cells['c'].value = 1
cell.value = 1
a = b = 1
(scope, state) = 1, 2
scope: int = 1
scope += 1
self.actionsStarted -= 1
self.actionsStarted += 'x'.__len__()
raise Exception
raise KeyError from None
return 1, (yield)
while True: pass
for cell in [1]: pass
for x in self.cells.values(): pass
for cell in self.cells.items(): pass
for self.x in self.cells.values(): pass
for cell in self.cells.values(): import os
if True: pass
if check: import os
if self.config.version is None: pass
if self.config.version is not None < 3: pass
with self: pass
with open('x') as f: pass
def g(): pass
class G: pass
async def g(): pass
match scope:\n            case _: pass
type X = int
try:\n            pass\n        finally:\n            pass
try:\n            pass\n        except:\n            pass
try:\n            pass\n        except Exception as e:\n            pass
try:\n            pass\n        except BaseException:\n            pass
try:\n            pass\n        except* Exception:\n            pass
try:\n            pass\n        except Exception:\n            pass\n        else:\n            pass
try:\n            pass\n        except do():\n            pass
""".strip().splitlines()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_hostile_statements(generated, statement):
    line = "scope.let({'x': 1})"
    text = generated.replace(line, statement.replace("\\n", "\n"))
    ast.parse(text)  # it is Python, so that only the allow-list is in its way
    with pytest.raises(Rejected):
        sandbox.compile_checked(text)


FRAMES = {
    "statement before": ("class PFA_", "import os\nclass PFA_"),
    "class before": ("class PFA_", "class PFA_X(PFAEngine):\n    pass\nclass PFA_"),
    "decorator": ("class PFA_", "@do\nclass PFA_"),
    "other base": ("(PFAEngine)", "(DynamicScope)"),
    "called base": ("(PFAEngine)", "(do(PFAEngine))"),
    "two bases": ("(PFAEngine)", "(PFAEngine, DynamicScope)"),
    "metaclass": ("(PFAEngine)", "(PFAEngine, metaclass=do)"),
    "type parameter": ("(PFAEngine)", "[T: do()](PFAEngine)"),
    "other name": ("class PFA_", "class X_"),
    "name not in ASCII": ("class PFA_", "class PFA_é"),
    "attribute of the class": ("    def initialize", "    x = 1\n    def initialize"),
    "other method": ("def begin(", "def __del__("),
    "same method twice": ("def begin(", "def end("),
    "fewer parameters": ("(self, name, item)", "(self, name)"),
    "other parameters": ("(self, name, item)", "(self, item, name)"),
    "more parameters": ("(self, name, item)", "(self, name, item, *x)"),
    "keyword parameters": ("(self, name, item)", "(self, name, *, item)"),
    "positional parameters": ("(self, name, item)", "(self, name, item, /)"),
    "default": ("(self, name, item)", "(self, name, item=do())"),
    "default of check": ("check=True", "check=do()"),
    "annotation": ("(self, name, item)", "(self, name: do(), item)"),
    "annotated result": ("def begin(self)", "def begin(self) -> do()"),
    "decorated method": ("    def begin(self)", "    @do\n    def begin(self)"),
    "method's type parameter": ("def begin(self)", "def begin[T: do()](self)"),
    "asynchronous": ("def begin(self)", "async def begin(self)"),
    "expression after": ("    def pooldel", "do()\nclass PFA_Z(PFAEngine):\n    def pooldel"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_hostile_frames(generated, name):
    old, new = FRAMES[name]
    assert generated.count(old) == 1
    text = generated.replace(old, new)
    ast.parse(text)
    with pytest.raises(Rejected):
        sandbox.compile_checked(text)


def test_rejected_code_is_an_error_of_titus():
    names = {}
    with pytest.raises(errors.PFAInitializationException) as caught:
        genpy.exec("import os", names)
    assert "import" not in str(caught.value)
    assert names == {}
    with pytest.raises(errors.PFAInitializationException):
        genpy.exec("class", names)


def test_code_sees_few_builtins(generated):
    names = {"PFAEngine": genpy.PFAEngine}
    genpy.exec(generated, names)
    assert {"open", "__import__", "eval", "exec", "getattr", "type"}.isdisjoint(
        names["__builtins__"]
    )
    assert set(names) == {"PFAEngine", "__builtins__"} | {n for n in names if n[:4] == "PFA_"}


def test_comments_and_cookies_do_not_matter(generated):
    """What the parser does not show cannot do anything either."""
    sandbox.compile_checked("# coding: utf-7\n" + generated + "\n# +AAo-import os")


# --- what must pass


def test_every_document_of_the_corpus_passes(monkeypatch):
    rejected = []
    stock = sandbox.compile_checked

    def compile_checked(text):
        try:
            return stock(text)
        except Rejected as error:
            rejected.append(str(error))
            raise

    monkeypatch.setattr(sandbox, "compile_checked", compile_checked)
    corpus = ROOT / "tests/conformance/conformance.jsonl.gz"
    loaded = 0
    refused = (*OF_TITUS, avro.schema.AvroException)
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            try:
                compat.engine(json.loads(line)["pfa"])
                loaded += 1
            except refused:
                pass  # some must be refused; tests/conformance holds which
    assert rejected == []
    assert loaded > 4000
