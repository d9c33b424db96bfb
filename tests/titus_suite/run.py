"""Run titus2's own tests against the mended modules, or against the compiling engine.

    python -m tests.titus_suite.run [--engine compiled] [folder]

Without a folder it runs the tests that titus2's source distribution holds, 283 of 794; it is
downloaded from the package index once. A checkout of titus2's repository holds all of them.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "titus_suite"
SDIST = (
    "titus2==1.2.0 --hash=sha256:1378f22b951e301ef7a098015f59757694ed578152875b29706bd86ec924c65c\n"
)


def downloaded() -> Path:
    """Give the folder with the source distribution's files; download it if need be.

    uv, unlike pip, cannot only download, but leaves the files of what it builds in its cache.
    """
    found = _unpacked()
    if found is None:
        CACHE.mkdir(parents=True, exist_ok=True)
        requirement = CACHE / "requirement.txt"
        requirement.write_text(SDIST)
        where = ["--cache-dir", str(CACHE / "uv"), "--target", str(CACHE / "built")]
        what = ["--no-deps", "--no-binary", "titus2", "--require-hashes", "-r", str(requirement)]
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "install", "--quiet", *where, *what], check=True
        )
        found = _unpacked()
    if found is None:
        raise FileNotFoundError("uv keeps no unpacked source distribution in its cache")
    return found


def _unpacked() -> Path | None:
    tests = next(CACHE.glob("uv/sdists-*/**/src/test/testGenpy.py"), None)
    return tests and tests.parents[1]


def run(folder: Path, engine: str = "reference") -> subprocess.CompletedProcess[str]:
    """Run the tests in ``folder``/test in a process of their own, warnings being errors.

    ``engine`` is "reference" or "compiled".
    """
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "tests.titus_suite.mended"]
    # an empty configuration, so that neither ours nor titus2's is taken
    options += ["-c", "/dev/null", "--rootdir", str(folder), "-o", "python_files=test*.py"]
    # the tests leave files open
    warnings = ["-W", "error", "-W", "ignore::ResourceWarning"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *warnings, str(folder / "test")],
        cwd=folder,
        env={**_environment(), "TITUS_SUITE_ENGINE": engine},
        capture_output=True,
        text=True,
        check=False,
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'functions'}"}


def passed(output: str) -> int:
    """Give the number of tests that passed, from pytest's last line."""
    found = re.search(r"(\d+) passed", output)
    return int(found[1]) if found else 0


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["reference", "compiled"], default="reference")
    parser.add_argument("folder", type=Path, nargs="?", help="titus2's repository")
    chosen = parser.parse_args()
    folder = downloaded() if chosen.folder is None else chosen.folder.resolve()
    done = run(folder, chosen.engine)
    print(done.stdout[-8000:], done.stderr[-4000:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
