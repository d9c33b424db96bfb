"""Build the functions with `sam build`, only when their sources changed.

The demo, the tests and the benchmarks run what this returns: the same artefact that
`sam build && sam deploy` would ship, for this machine's processor. It goes to `.build/`, never to
`.aws-sam/`, so that it cannot be deployed by mistake for the other processor.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / ".build"
FUNCTION = "ScoreFunction"
# Another process may still run an older build while its sources are edited: keep the last ones.
KEPT_BUILDS = 5


class BuildError(Exception):
    """`sam build` failed; the message is its output."""


def native_architecture() -> str:
    """This machine's processor as Lambda names it: "arm64" or "x86_64"."""
    machine = platform.machine().lower()
    return "arm64" if machine in ("arm64", "aarch64") else "x86_64"


def sources_digest(architecture: str) -> str:
    """Hash of all that goes into a build: paths and bytes of its sources, and the processor."""
    digest = hashlib.sha256(architecture.encode())
    for path in sorted(_sources()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(ROOT)} {content}\n".encode())
    return digest.hexdigest()[:16]


def build(architecture: str | None = None) -> Path:
    """Folder of the functions' artefact; runs `sam build` if its sources changed since the last.

    It is ScoreFunction's. All functions have the same artefact, so no other is built.
    `architecture` is "arm64" or "x86_64", this machine's by default. `template.yaml` as sam wrote
    it lies beside the folder. Raises BuildError with sam's output.
    """
    architecture = architecture or native_architecture()
    home = BUILDS / architecture
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        # Two that ask at once build once; the lock goes when the process does.
        fcntl.flock(lock, fcntl.LOCK_EX)
        target = home / sources_digest(architecture)
        if not target.is_dir():
            unfinished = home / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            sam_build(architecture, unfinished)
            unfinished.rename(target)
        target.touch()
        _remove_old(home)
    return target / FUNCTION


def sam_build(
    architecture: str, build_dir: Path, function: str = FUNCTION, *, python: str = sys.executable
) -> None:
    """Run `sam build` of one function into `build_dir`; no network but the package index.

    Raises BuildError with sam's output.
    """
    command = [
        *(python, "-m", "samcli", "build", function, "--template", str(ROOT / "template.yaml")),
        *("--build-dir", str(build_dir)),
        *("--parameter-overrides", f"Architecture={architecture}"),
    ]
    region = {"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "eu-west-1")}
    environment = {**os.environ, **region, "SAM_CLI_TELEMETRY": "0"}
    # A session of its own: sam starts make, and make uv, and all of them end when this is stopped.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        raise BuildError(f"sam build failed:\n{output}")


def _sources() -> list[Path]:
    """Files that a build reads."""
    functions = [
        path
        for path in (ROOT / "functions").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return [ROOT / "template.yaml", *functions, *(ROOT / "models").glob("*.pfa")]


def _remove_old(home: Path) -> None:
    builds = sorted(
        (path for path in home.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for path in builds[:-KEPT_BUILDS]:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    print(build(sys.argv[1] if len(sys.argv) > 1 else None))
