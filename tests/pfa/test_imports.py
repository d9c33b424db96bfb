"""Who may import whom, and what importing the package costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pfa

PACKAGE = Path(pfa.__file__).parent
ORDER = [  # each may import those before it
    "errors",
    "deadline",
    "memory",
    "forest",
    "compat",
    "specialise",
    "library",
    "kernels",
    "document",
    "schema",
    "scalars",
    "unions",
    "check",
    "output",
    "convert_text",
    "convert",
    "columns",
    "json_schema",
    "compiler",
    "steps",
    "direct",
    "sources",
    "artifact",
    "instance",
    "batch",
    "call",
    "model",
    "__init__",
    "__main__",
]

PACKAGES = {"compat", "compiler", "kernels", "library"}


def imported(path: Path) -> set[str]:
    """Parts of pfa that a file imports, and other top-level packages."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"pfa.{alias.name}" for alias in node.names}
            found |= names if node.module == "pfa" else {node.module}
    return {
        ".".join(name.split(".")[:2]) if name.startswith("pfa") else name.split(".")[0]
        for name in found
    }


def test_arrows():
    assert {path.stem for path in PACKAGE.glob("*.py")} | PACKAGES == set(ORDER)
    for place, name in enumerate(ORDER):
        path = PACKAGE / name
        files = sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            used = {part.removeprefix("pfa.") for part in imported(file) if part.startswith("pfa.")}
            assert used - {"compat", name} <= set(ORDER[:place]), file.name


def test_only_compat_knows_titus_and_nobody_knows_aws():
    for file in PACKAGE.rglob("*.py"):
        used = imported(file)
        assert not used & {"boto3", "botocore", "aws_lambda_powertools"}, file.name
        assert "compat" in file.parts or not used & {"titus", "avro", "numpy"}, file.name


def test_importing_loads_nothing_large():
    code = "import sys, pfa; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    large = {"numpy", "yaml", "ply", "urllib.request", "jsonschema", "asyncio", "http"}
    assert not large & set(done.stdout.split())
