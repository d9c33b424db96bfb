"""The two functions that are compared, built and ready to start on the emulator."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.build import build
from scripts.local_cloud import BUCKET, FUNCTION
from scripts.local_cloud.lambda_runtime import Emulator, environment, runtime_packages
from scripts.local_cloud.s3 import LocalS3
from scripts.local_cloud.template import Function, load
from scripts.make_events import score
from scripts.sample import ROOT

HERE = Path(__file__).resolve().parent
VENV = ROOT / ".cache/benchmarks"  # what the plain build and the plot need
INVOKE_SECONDS = 300  # for the longest invocation: many calls timed inside


@dataclass(frozen=True)
class Side:
    """One way to serve a model.

    Attributes:
        name: "ours" or "plain".
        artefact: folder that `sam build` made.
        function: handler and settings as on Lambda.
        variables: environment of the function for a model's name.
        event: what the function gets for a model's name and a record.
    """

    name: str
    artefact: Path
    function: Function
    variables: Callable[[str], dict[str, str]]
    event: Callable[[str, Any], Any]

    def start(self, model: str, s3: LocalS3, log: Path, handler: str | None = None) -> Emulator:
        """Start an emulator, as `handler` of benchmarks/inside when given."""
        packages = runtime_packages(ROOT / ".cache")
        variables = self.variables(model) | {
            "MODEL_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL_S3": s3.url,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(INVOKE_SECONDS),
        }
        env = environment(self.function, self.artefact, packages, variables)
        if handler:
            env["PYTHONPATH"] += f":{HERE / 'inside'}"
        return Emulator(handler or self.function.handler, self.artefact, env, log)

    def payload(self, model: str, record: Any) -> bytes:
        """The bytes of an invocation."""
        return json.dumps(self.event(model, record)).encode()

    def size(self) -> int:
        """Bytes of the artefact, unzipped."""
        return sum(path.stat().st_size for path in self.artefact.rglob("*") if path.is_file())


def ours() -> Side:
    """This project's function."""
    return Side(
        "ours",
        build().resolve(),
        load(ROOT / "template.yaml").functions[FUNCTION],
        lambda model: {"DEFAULT_MODEL": model},
        score,
    )


def plain() -> Side:
    """A handler of a dozen lines, built by sam's own builder."""
    return Side(
        "plain",
        build_plain(),
        Function(
            "PlainFunction", "app.handler", "python3.13", timeout=25, memory=1769, environment={}
        ),
        lambda model: {"MODEL_KEY": f"live/{model}.pfa"},
        lambda _, record: record,
    )


def build_plain() -> Path:
    """Run a plain `sam build` on benchmarks/plain, if it changed since the last."""
    install()
    sources = b"".join(
        path.read_bytes() for path in sorted((HERE / "plain").iterdir()) if path.is_file()
    )
    folder = ROOT / ".build/plain" / hashlib.sha256(sources).hexdigest()[:16]
    if not folder.is_dir():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        run(
            sys.executable,
            *("-m", "samcli", "build", "--build-dir", str(unfinished)),
            *("--template", str(HERE / "plain/template.yaml")),
        )
        unfinished.rename(folder)
    return folder / "PlainFunction"


def install(venv: Path = VENV, lock: Path = HERE / "requirements.txt") -> None:
    """Make `venv` with the locked requirements, if they changed since the last."""
    stamp = venv / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    uv = (sys.executable, "-m", "uv")
    run(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv))
    run(*uv, "pip", "sync", "--quiet", "--python", str(venv), "--require-hashes", str(lock))
    shutil.copyfile(lock, stamp)


def run(*command: str) -> None:
    """Run a command with VENV's Python first on the path; its output is shown when it fails."""
    env = os.environ | {
        "PATH": f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
