"""AWS's own Runtime Interface Emulator, several side by side, running the built function.

One emulator takes one request at a time, as one Lambda execution environment does: a second
request that comes in meanwhile crashes it. Hence a pool; the one that answered last is taken
first, so a quiet moment leaves the others cold, as on Lambda.
"""

import compileall
import http.client
import importlib.metadata
import json
import os
import platform
import py_compile
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import samcli.local.rapid
from packaging.requirements import Requirement

from scripts.local_cloud.processes import HOST, Child, StartError, die_with_parent, free_port
from scripts.local_cloud.s3 import CREDENTIALS
from scripts.local_cloud.template import REGION, Function

INVOKE_PATH = "/2015-03-31/functions/function/invocations"

# What the Lambda runtime itself brings. The emulated function sees these, the standard library
# and the artefact, not the development environment: a package that is missing from the artefact
# is missing here too.
RUNTIME_PACKAGES = ("awslambdaric", "boto3")

_TIMED_OUT = re.compile(rb"(?:\S+ \S+ )?Task timed out after [0-9.]+ seconds")
_ERROR_KEYS = {"errorMessage", "errorType", "requestId", "stackTrace"}


class InvokeTimeoutError(Exception):
    """The function has not answered within the time that the caller gave it."""


@dataclass(frozen=True)
class Answer:
    """What Lambda's Invoke call gives: a payload and, when the function failed, in what way."""

    payload: bytes
    error: str | None = None


def emulator_path() -> Path:
    """Return the emulator that comes in the aws-sam-cli wheel. Raises StartError if none fits."""
    machine = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
    name = f"aws-lambda-rie-{machine.get(platform.machine().lower(), platform.machine())}"
    path = Path(str(samcli.local.rapid.__file__ or samcli.local.rapid.__path__[0]))
    path = (path.parent if path.suffix else path) / name
    if not sys.platform.startswith("linux") or not path.exists():
        raise StartError("the Lambda runtime emulator runs on Linux only, on x86_64 or arm64")
    return path


def check_python(runtime: str) -> None:
    """Raise StartError unless this Python is the function's, as "python3.13".

    The emulated function runs on the Python of the development environment, and the packages
    in the artefact are compiled for one version.
    """
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if own != runtime:
        raise StartError(f"the function runs on {runtime}, the local cloud must too, not on {own}")


def _closure(names: tuple[str, ...]) -> dict[str, importlib.metadata.Distribution]:
    """Return the installed distributions that `names` need, themselves included."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            needs = (Requirement(line) for line in found[name].requires or ())
            waiting += [
                need.name.lower()
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    return found


def runtime_packages(cache: Path) -> Path:
    """Return a folder that holds RUNTIME_PACKAGES with what they need, and nothing else.

    Copied from the development environment (the locked versions, no package index needed) and
    compiled once per set of versions, which takes about 5 s; Lambda's own are compiled, too.
    """
    distributions = _closure(RUNTIME_PACKAGES)
    versions = "-".join(f"{name}-{distributions[name].version}" for name in RUNTIME_PACKAGES)
    folder = cache / f"lambda-runtime-{sys.version_info.major}.{sys.version_info.minor}-{versions}"
    if folder.exists():
        return folder
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    for distribution in distributions.values():
        for file in distribution.files or ():
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            target = new / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(distribution.locate_file(file)), target)
    compileall.compile_dir(
        new, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    try:
        new.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(new)
    return folder


def environment(
    function: Function, task: Path, packages: Path, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment variables of the emulated function.

    Nothing of ours leaks in: no credentials, no profile, no proxy, no PYTHONPATH. `overrides`
    is laid over the template's own variables.
    """
    return (
        {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(packages),
            "PYTHONPATH": str(packages),
            "PYTHONDONTWRITEBYTECODE": "1",  # the artefact is read-only on Lambda
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_SESSION_TOKEN": "local",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        | CREDENTIALS
        | function.environment
        | dict(overrides)
    )


class Emulator:
    """One emulated Lambda execution environment. Not safe for two requests at once."""

    def __init__(self, handler: str, task: Path, env: Mapping[str, str], log: Path) -> None:
        """Start the emulator; the function itself starts with the first request.

        `task` is the built artefact. Raises StartError.
        """
        python = os.path.realpath(sys.executable)  # not the virtual environment's link to it
        for attempt in range(3):
            port, api_port = free_port(), free_port()
            self.child = Child(
                [
                    str(emulator_path()),
                    "--log-level",
                    "info",
                    # Both, always: the defaults listen on every interface.
                    *("--runtime-interface-emulator-address", f"{HOST}:{port}"),
                    *("--runtime-api-address", f"{HOST}:{api_port}"),
                    # -S: no site-packages, neither ours nor the system's.
                    *(*die_with_parent(), python, "-S", "-m", "awslambdaric", handler),
                ],
                env=env,
                cwd=task,
                log=log,
            )
            try:
                self.child.wait_for_port(port, seconds=10)
                break
            except StartError:  # somebody took the port in between
                if attempt == 2:
                    raise
        self._connection = http.client.HTTPConnection(HOST, port)

    def invoke(self, payload: bytes, timeout: float) -> Answer:
        """Send one event and return the function's answer.

        `timeout` in seconds. Raises InvokeTimeoutError; the emulator is of no use after that, nor
        after an OSError or http.client.HTTPException.
        """
        self._connection.timeout = timeout
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout)
        try:
            self._connection.request(
                "POST", INVOKE_PATH, payload, {"Content-Type": "application/json"}
            )
            response = self._connection.getresponse()
            body = response.read()
        except TimeoutError as error:
            raise InvokeTimeoutError from error
        return Answer(body, _failure(response.status, body))

    def init_milliseconds(self) -> list[float]:
        """Return how long each start of the function took; the emulator's own measurement."""
        reports = re.findall(
            r"INIT REPORT\(durationMs: ([0-9.]+)", self.child.log.read_text(errors="replace")
        )
        return [float(value) for value in reports]

    def stop(self) -> None:
        """End the emulator and the function."""
        self._connection.close()
        self.child.stop()


def _failure(status: int, body: bytes) -> str | None:
    """Return what went wrong in the function, from how the emulator says it.

    Measured: a crash or a payload that is too large is status 502, but a timeout and an
    exception come with status 200.
    """
    if status != 200:
        return "Unhandled"
    if _TIMED_OUT.fullmatch(body):
        return "Timeout"
    if body.startswith(b'{"errorMessage"'):
        try:
            value = json.loads(body)
        except ValueError:
            return "Unhandled"
        if {"errorMessage", "errorType"} <= value.keys() <= _ERROR_KEYS:
            return "Unhandled"
    return None


class Pool:
    """Emulators of one function; `invoke` may be called from any number of threads."""

    def __init__(
        self, function: Function, task: Path, env: Mapping[str, str], size: int, logs: Path
    ) -> None:
        """Start `size` emulators of the artefact in `task`. Raises StartError."""
        self.function = function
        self.task = task
        self.env = env
        self._logs = logs
        self._condition = threading.Condition()
        self._idle: list[Emulator] = []
        self._all: set[Emulator] = set()
        self._started = 0
        self._closed = False
        try:
            for _ in range(size):
                self._idle.append(self._start())
        except BaseException:
            self.stop()
            raise

    def _start(self) -> Emulator:
        with self._condition:
            self._started += 1
            log = self._logs / f"function-{self._started}.log"
        emulator = Emulator(self.function.handler, self.task, self.env, log)
        with self._condition:
            self._all.add(emulator)
            closed = self._closed
        if closed:
            emulator.stop()
        return emulator

    @contextmanager
    def emulator(self, wait: float) -> Iterator[Emulator]:
        """Give one idle emulator to the caller; a broken one is replaced before it is given.

        Raises InvokeTimeoutError if none gets idle within `wait` seconds.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._idle or self._closed, wait):
                raise InvokeTimeoutError("all emulators are busy")
            if self._closed:
                raise InvokeTimeoutError("the local cloud is stopping")
            emulator = self._idle.pop()
        try:
            if not emulator.child.alive:
                emulator = self._replace(emulator)
            yield emulator
        except (InvokeTimeoutError, OSError, http.client.HTTPException):
            # Still at work for a caller that left, or dead: either way not to be used again.
            emulator = self._replace(emulator)
            raise
        finally:
            with self._condition:
                self._idle.append(emulator)
                self._condition.notify()

    def _replace(self, emulator: Emulator) -> Emulator:
        emulator.stop()
        with self._condition:
            self._all.discard(emulator)
            if self._closed:
                return emulator
        return self._start()

    def invoke(self, payload: bytes, timeout: float = 30.0) -> Answer:
        """Run the function on an idle emulator; wait for one if all are busy.

        `timeout` in seconds covers both. Raises InvokeTimeoutError, or OSError and
        http.client.HTTPException when an emulator died under the request.
        """
        give_up = time.monotonic() + timeout
        with self.emulator(timeout) as emulator:
            return emulator.invoke(payload, max(0.05, give_up - time.monotonic()))

    def logs(self) -> str:
        """Return all that the function and its emulators have logged."""
        return "".join(
            path.read_text(errors="replace") for path in sorted(self._logs.glob("function-*.log"))
        )

    def stop(self) -> None:
        """End all emulators and what they run."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            emulators, self._all = self._all, set()
        for emulator in emulators:
            emulator.child.signal(15)  # all at once; stop() then waits for each
        for emulator in emulators:
            emulator.stop()
