"""How large the built functions are, and what of it: the table in docs/build.md.

python -m scripts.build_size          prints the table
python -m scripts.build_size --write  puts it into docs/build.md
"""

from __future__ import annotations

import re
import sys
import zlib
from collections import defaultdict
from pathlib import Path

from scripts.build import ROOT, build

PAGE = ROOT / "docs/build.md"
ARCHITECTURES = ("arm64", "x86_64")
TOTAL = "**all**"

# Folder or file in the artefact -> component; what is not here counts under its own name.
COMPONENTS = {
    "numpy.libs": "numpy",
    "aws_lambda_powertools": "aws-lambda-powertools",
    "aws_xray_sdk": "aws-xray-sdk",
    "titus": "titus2",
    "avro": "avro-python3",
    "avro_python3": "avro-python3",
    "yaml": "pyyaml",
    "_yaml": "pyyaml",
    "typing_extensions": "typing-extensions",
    "pfa": "functions/",
    "score": "functions/",
    "gate": "functions/",
    "bucket": "functions/",
    "telemetry": "functions/",
    "models": "models/",
}


def sizes(artefact: Path) -> dict[str, tuple[int, int]]:
    """Bytes of each component of `artefact`, and of all: (as they are, zipped as sam zips them)."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path in artefact.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            # sam deflates each file by itself, at zlib's default level; headers are left out.
            packed = len(zlib.compress(content)) if content else 0
            for component in (_component(path.relative_to(artefact)), TOTAL):
                found[component][0] += len(content)
                found[component][1] += packed
    return {component: (size, packed) for component, (size, packed) in found.items()}


def _component(path: Path) -> str:
    """Component that a file of the artefact belongs to; `path` is relative to the artefact."""
    top = path.parts[1] if path.parts[0] == "__pycache__" else path.parts[0]
    name = top if top in COMPONENTS else re.split(r"[-.]", top)[0]
    return COMPONENTS.get(name, name)


def table() -> str:
    """The table, in Markdown: MB as they are and zipped, for either processor; largest first."""
    measured = {architecture: sizes(build(architecture)) for architecture in ARCHITECTURES}
    first = measured[ARCHITECTURES[0]]
    rows = sorted(first, key=lambda name: (name == TOTAL, -first[name][0]))
    head = [f"{it}{state}" for it in ARCHITECTURES for state in ("", ", zipped")]
    lines = [f"| MB | {' | '.join(head)} |", "|---|" + "---:|" * len(head)]
    for name in rows:
        numbers = [size for it in ARCHITECTURES for size in measured[it].get(name, (0, 0))]
        lines.append(f"| {name} | {' | '.join(f'{size / 1e6:.2f}' for size in numbers)} |")
    return "\n".join(lines) + "\n"


def stated() -> dict[str, tuple[float, ...]]:
    """The numbers in docs/build.md: MB by component, in the table's order of columns."""
    rows = re.findall(r"^\| ([^|]+) \|((?: +[0-9.]+ \|)+)$", PAGE.read_text(), re.MULTILINE)
    return {name: tuple(float(it) for it in re.findall(r"[0-9.]+", row)) for name, row in rows}


def write() -> None:
    """Replace the table in docs/build.md."""
    text, count = re.subn(
        r"^\| MB \|.*\n(?:\|.*\n)+", lambda _: table(), PAGE.read_text(), flags=re.MULTILINE
    )
    if count != 1:
        raise SystemExit(f"{PAGE} has {count} tables of sizes, not one")
    PAGE.write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        print(table(), end="")
