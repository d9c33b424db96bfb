"""What `sam build` made: complete, small, valid bytecode, the same every time."""

import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from marshal import loads
from pathlib import Path
from types import CodeType

import pytest

from pfa import sources
from scripts.build import ROOT, build, native_architecture, sam_build

OTHER = {"arm64": "x86_64", "x86_64": "arm64"}[native_architecture()]
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine, bytes 18 and 19 of an ELF file
UNCHECKED_HASH = 0b01  # flags of a .pyc, PEP 552: has a source hash that is not checked
HEADER = 16  # bytes of a .pyc before the code


@pytest.fixture(scope="module")
def other_artefact() -> Path:
    """Built for the processor that this machine has not, as on most machines before a deploy."""
    return build(OTHER)


@pytest.fixture(scope="module", params=[native_architecture(), OTHER])
def either(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    yield request.param, build(request.param)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_holds_the_function_and_the_sample_models(either: tuple[str, Path]) -> None:
    _, artefact = either
    for package in ("pfa", "score", "gate", "bucket"):
        assert modules(artefact / package) == modules(ROOT / "functions" / package)
    telemetry = ROOT / "functions/telemetry.py"
    assert (artefact / telemetry.name).read_bytes() == telemetry.read_bytes()
    samples = {path.name: path.read_bytes() for path in (artefact / "models").iterdir()}
    assert samples == {path.name: path.read_bytes() for path in (ROOT / "models").glob("*.pfa")}
    assert "sonar.pfa" in samples


def modules(package: Path) -> dict[str, bytes]:
    return {str(path.relative_to(package)): path.read_bytes() for path in package.rglob("*.py")}


def test_it_holds_the_locked_versions_and_nothing_that_the_runtime_has(
    either: tuple[str, Path],
) -> None:
    _, artefact = either
    lock = (ROOT / "functions/requirements.txt").read_text()
    locked = set(re.findall(r"^([a-z0-9-]+)==([^ ;]+)(?: ;.*)? \\$", lock, re.MULTILINE))
    found = [PathDistribution(path) for path in artefact.glob("*.dist-info")]
    assert {(it.metadata["Name"].lower().replace("_", "-"), it.version) for it in found} == locked
    for package in ("boto3", "botocore", "urllib3", "jmespath", "dateutil", "s3transfer"):
        assert not (artefact / package).exists(), package
    assert not (artefact / "six.py").exists()


def test_it_holds_nothing_that_only_development_needs(either: tuple[str, Path]) -> None:
    _, artefact = either
    names = {part for path in files(artefact) for part in path.relative_to(artefact).parts[:-1]}
    assert not names & {"tests", "testing", "test", "include", "f2py", "bin", "platforms"}
    unwanted = {".pyi", ".h", ".pxd", ".pyx", ".a", ".c", ".js", ".css", ".exe", ".in"}
    assert [path for path in files(artefact) if path.suffix in unwanted] == []
    assert not (artefact / "Makefile").exists()
    assert not (artefact / "requirements.txt").exists()


def test_licences_stay(either: tuple[str, Path]) -> None:
    """ply says in its metadata, avro-python3 only in the sdist, under what licence they are."""
    _, artefact = either
    without = {
        info.name.split("-")[0]
        for info in artefact.glob("*.dist-info")
        if not any("LICEN" in path.name.upper() for path in files(info))
    }
    assert without == {"ply", "avro_python3"}
    for name in without:
        (metadata,) = artefact.glob(f"{name}-*.dist-info/METADATA")
        assert "License" in metadata.read_text()


def test_compiled_parts_are_for_the_right_processor(either: tuple[str, Path]) -> None:
    architecture, artefact = either
    libraries = [path for path in files(artefact) if ".so" in path.name]
    assert len(libraries) > 10
    for path in libraries:
        head = path.read_bytes()[:20]
        assert head[:4] == b"\x7fELF", path
        assert struct.unpack_from("<H", head, 18)[0] == ELF_MACHINES[architecture], path


def test_every_module_has_valid_bytecode_that_names_no_place_of_this_machine(
    artefact: Path,
) -> None:
    modules = [path for path in files(artefact) if path.suffix == ".py"]
    assert len(modules) > 400
    for source in modules:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        content = compiled.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER, compiled
        assert struct.unpack_from("<I", content, 4)[0] == UNCHECKED_HASH, compiled
        assert content[8:HEADER] == importlib.util.source_hash(source.read_bytes()), compiled
        code = loads(content[HEADER:])
        assert isinstance(code, CodeType)
        assert code.co_filename == f"/var/task/{source.relative_to(artefact)}"
        assert str(ROOT).encode() not in content
    stray = [path for path in files(artefact) if path.suffix == ".pyc"]
    assert len(stray) == len(modules)


def test_the_digest_of_the_engine_is_written_down(artefact: Path) -> None:
    written = (artefact / "pfa/sources.sha256").read_text("ascii").strip()
    assert written == sources.computed(ROOT / "functions/pfa")


def test_both_processors_get_the_same_python(artefact: Path, other_artefact: Path) -> None:
    def python(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in files(folder)
            if path.suffix in (".py", ".pyc") and "__config__" not in path.name
        }

    assert python(artefact) == python(other_artefact)


USE = """
import sys
root = sys.path[0]
import numpy
assert numpy.__file__.startswith(root), numpy.__file__
matrix = numpy.array([[2.0, 1.0], [1.0, 3.0]])
assert numpy.allclose(numpy.linalg.inv(matrix) @ matrix, numpy.eye(2))
assert numpy.allclose(numpy.linalg.eigvalsh(matrix), [1.38196601, 3.61803399])
numpy.linalg.svd(matrix), numpy.linalg.solve(matrix, [1.0, 2.0]), numpy.linalg.cholesky(matrix)
numpy.random.default_rng(1).normal(size=3), numpy.random.RandomState(1).rand(2)
numpy.fft.fft([1.0, 2.0]), numpy.polynomial.Polynomial([1, 2]), numpy.ma.array([1], mask=[True])
import avro.schema, ply.yacc, pytz, wrapt, yaml, aws_xray_sdk.core
assert yaml.__with_libyaml__
assert pytz.timezone("Europe/Vienna")
import pfa, score.app
from pathlib import Path
model = pfa.load(Path(root, "models/hello.pfa").read_bytes())
ours = [m for m in sys.modules.values() if getattr(m, "__file__", None)]
stale = [m.__name__ for m in ours if m.__file__.startswith(root) and m.__file__.endswith(".py")
         and not (m.__cached__ or "").endswith(".pyc")]
assert not stale, stale
print(model.score(3.14))
"""


def test_it_works_where_it_is_copied_to(artefact: Path, tmp_path: Path) -> None:
    """With nothing of this environment but what Lambda has: botocore and its requirements."""
    from scripts.local_cloud.lambda_runtime import runtime_packages

    task = tmp_path / "task"
    shutil.copytree(artefact, task)
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": f"{task}:{runtime_packages(cache_folder())}",
        "LAMBDA_TASK_ROOT": str(task),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    before = {path: path.stat().st_mtime_ns for path in files(task)}
    python = os.path.realpath(sys.executable)
    # "-c" puts "" first on sys.path; -S keeps this environment's packages out.
    code = f"import sys; sys.path.pop(0)\n{USE}"
    run = subprocess.run(
        [python, "-S", "-W", "error", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines()[-1] == "103.14"
    assert {path: path.stat().st_mtime_ns for path in files(task)} == before, "it was compiled"


def cache_folder() -> Path:
    folder = ROOT / ".cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("function", ["ScoreFunction", "GateFunction"])
def test_building_again_gives_the_same_bytes(artefact: Path, tmp_path: Path, function: str) -> None:
    """The gate's too: only the score function's is built for the local cloud, and used for both."""
    sam_build(native_architecture(), tmp_path / "build", function)
    again = tmp_path / "build" / function

    def content(folder: Path) -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
            for path in files(folder)
        }

    first, second = content(artefact), content(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_it_is_built_once_for_the_same_sources(artefact: Path) -> None:
    assert build() == artefact
    assert (artefact.parent / "template.yaml").exists()


def test_the_built_template_says_what_it_was_built_for(other_artefact: Path) -> None:
    from samtranslator.yaml_helper import yaml_parse

    built = yaml_parse((other_artefact.parent / "template.yaml").read_text())
    metadata = built["Resources"]["ScoreFunction"]["Metadata"]
    assert metadata["ContextPath"] == f"functions/platforms/{OTHER}"
