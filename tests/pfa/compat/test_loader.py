"""titus is loaded mended, quickly, and nothing else in the process is changed."""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep titus's inspector, which asks for a folder in the home at import, from asking."""
    (tmp_path / ".pfa").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))


def run(program: str, *options: str) -> str:
    """Run a program in a fresh process, warnings being errors; give what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "functions")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_heavy_is_imported_for_trees_and_naive_bayes():
    program = """
        import json, pathlib, sys
        import pfa
        heavy = ("numpy", "yaml", "ply", "urllib.request", "pytz", "avro.datafile")
        assert not [name for name in heavy if name in sys.modules], "by the import"
        for name in ("sonar_nb", "iris_rpart", "sonar_rf", "pima_gbm"):
            model = pathlib.Path("data/r_models", name + ".pfa").read_text()
            cases = pathlib.Path("data/r_models", name + ".cases.json").read_text()
            pfa.load(model).score(json.loads(cases)["inputs"][0])
            assert not [name for name in heavy if name in sys.modules], name
        print("done")
    """
    assert run(program) == "done\n"


def test_numpy_is_imported_when_a_document_needs_it():
    program = """
        import sys
        from pfa.compat import engine
        kind = {"type": "array", "items": {"type": "array", "items": "double"}}
        made = engine({"input": kind, "output": "double", "action": [{"la.det": ["input"]}]})
        assert "numpy" not in sys.modules
        print(made.action([[2.0]]), "numpy" in sys.modules)
    """
    assert run(program) == "2.0 True\n"


def test_nothing_outside_titus_is_changed():
    program = """
        import ast, avro.io, avro.datafile, avro.schema, builtins, ctypes, importlib, inspect, json
        import math, numpy, re, sys, threading, time, urllib.request, warnings, yaml
        modules = [ast, avro.io, avro.datafile, avro.schema, builtins, ctypes, importlib, inspect]
        modules += [json, math, numpy, numpy.linalg, re, threading, time, urllib.request, yaml]
        before = [dict(vars(module)) for module in modules]
        filters, hooks = list(warnings.filters), list(sys.path_hooks)

        import pfa.compat
        import titus.prettypfa, titus.producer.cart, titus.producer.kmeans, titus.inspector.main
        from pfa.compat import engine
        kind = {"type": "array", "items": {"type": "array", "items": "double"}}
        for name in ("la.inverse", "la.eigenBasis"):
            engine({"input": kind, "output": kind, "action": [{name: ["input"]}]}).action([[2.0]])
        cast = {"cast.avro": ["input"]}
        engine({"input": "bytes", "output": "bytes", "action": [cast]}).action(b"abc")

        for module, names in zip(modules, before):
            names.pop("__warningregistry__", None)
            changed = [n for n, v in names.items() if vars(module).get(n) is not v]
            assert not changed, (module, changed)
        assert "float_" not in vars(numpy) and "getargspec" not in vars(inspect)
        assert math.floor(2.5).__class__ is int
        assert warnings.filters == filters and sys.path_hooks == hooks
        from pfa.compat.loader import Finder
        ours, others = sys.meta_path[0], sys.meta_path[1:]
        assert isinstance(ours, Finder) and not any(isinstance(o, Finder) for o in others)
        assert ours.find_spec("titus2", None) is ours.find_spec("json", None) is None
        print("same")
    """
    assert run(program) == "same\n"


def test_titus_sees_what_it_was_written_for():
    program = """
        from pfa.compat.loader import load
        reg = load("titus.lib.model.reg")
        np = reg.np()
        assert np.float_ is np.float64 and np.int is int and np.in1d is np.isin
        assert np.linalg.linalg.LinAlgError is np.linalg.LinAlgError
        assert np.core.records.recarray is np.rec.recarray
        assert np.matrix([1.0, 2.0]).shape == (1, 2)
        try:
            np.no_such_name
        except AttributeError as error:
            print(error)
    """
    assert run(program) == "module 'numpy' has no name 'no_such_name'\n"


def test_it_compiles_without_a_warning():
    """An invalid escape in its source is a SyntaxWarning, and may be an error."""
    program = """
        import importlib, pkgutil
        import pfa.compat, titus
        for module in pkgutil.walk_packages(titus.__path__, "titus."):
            importlib.import_module(module.name)
            print(module.name)
    """
    # no bytecode is found in a prefix that does not exist
    printed = run(program, "-B", "-X", f"pycache_prefix={ROOT / '.cache' / 'none'}")
    assert len(printed.splitlines()) > 50


def test_the_respelled_source_is_the_same_program():
    from pfa.compat import loader

    def constants(code):
        for constant in code.co_consts:
            yield from constants(constant) if hasattr(constant, "co_consts") else [constant]

    source = rb'''
import re
a = re.compile("""\s*x""")
b = re.search("\.[0-9]+?(0+) *$", "1.50")
c = re.match("^[A-Za-z0-9\+/]*=*$", "ab=")
'''
    path = "example.py"
    quiet = loader.Loader("titus.example", path).source_to_code(source, path)
    with pytest.warns(SyntaxWarning):
        loud = compile(source, path, "exec")
    assert list(constants(quiet)) == list(constants(loud))


def test_bytecode_of_the_source_as_it_is_does_as_well(tmp_path):
    """As pip and compileall make it; in it types are compared by identity."""
    program = """
        import json
        from pfa import compat
        from pfa.compat.loader import load
        lib = load("titus.lib.array")
        for name in ("Median", "Mode"):
            types = json.loads('[{"type": "array", "items": "double"}, "double"]')
            print(getattr(lib, name)()(None, None, None, types, [1.0, 2.0]), lib.__cached__)
    """
    prefix = f"pycache_prefix={tmp_path}"
    found = importlib.util.find_spec("titus").submodule_search_locations[0]
    compiling = [sys.executable, "-X", prefix, "-W", "ignore", "-m", "compileall", "-q", found]
    subprocess.run(compiling, check=True)
    (made,) = tmp_path.rglob("lib/array.*.pyc")
    before = made.read_bytes()
    assert run(program, "-X", prefix) == f"1.5 {made}\n" * 2
    assert made.read_bytes() == before


def test_an_unmended_titus_that_was_there_before_is_set_aside():
    program = """
        import inspect, numpy, warnings
        warnings.simplefilter("ignore")
        numpy.float_, inspect.getargspec = numpy.float64, inspect.getfullargspec
        import titus.genpy as stock
        from pfa.compat import engine
        import titus.genpy as mended
        document = {"input": "double", "output": "double", "action": [{"m.exp": ["input"]}]}
        assert stock is not mended
        print(engine(document).action(710.0), mended.PFAEngine.fromJson(document)[0].action(710.0))
        try:
            stock.PFAEngine.fromJson(document)[0].action(710.0)
        except OverflowError:
            print("as it was")
    """
    assert run(program) == "inf inf\nas it was\n"


def test_a_mend_that_comes_too_late_is_an_error():
    from pfa.compat import loader

    with pytest.raises(ImportError, match="too late"):
        loader.mends("titus.genpy")(lambda genpy: None)


def test_bytecode_without_source_is_refused(tmp_path):
    import compileall

    (tmp_path / "titus").mkdir()
    for name in ("__init__", "genpy"):
        (tmp_path / "titus" / f"{name}.py").write_text("")
    compileall.compile_dir(tmp_path, quiet=2, legacy=True)
    (tmp_path / "titus" / "genpy.py").unlink()
    done = subprocess.run(
        [sys.executable, "-c", "from pfa.compat import loader"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'functions'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "titus.genpy is not a source file" in done.stderr


def test_pretty_pfa_and_yaml():
    program = """
        import sys
        import pfa.compat, titus.prettypfa, titus.genpy
        assert "ply" not in sys.modules and "yaml" not in sys.modules
        text = "input: int\\noutput: int\\naction: input + 1\\n"
        print(titus.prettypfa.engine(text)[0].action(2))
        text = "{input: int, output: int, action: [{+: [input, 2]}]}"
        print(titus.genpy.PFAEngine.fromYaml(text)[0].action(2))
    """
    assert run(program) == "3\n4\n"
