"""The cloud on this machine: S3, the Lambda runtime and the API, all on loopback.

    with LocalCloud(build) as cloud:
        cloud.put_model("hello", document)
        httpx.post(cloud.url + "/models/hello/score", headers={"x-api-key": cloud.api_key}, ...)

S3 is moto's server, the runtime AWS's emulator with its own Python client, and the API is read
from template.yaml. What was started is stopped at the end, whatever the end is.
"""

import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.local_cloud.api import Api
from scripts.local_cloud.lambda_runtime import (
    Answer,
    Pool,
    check_python,
    environment,
    runtime_packages,
)
from scripts.local_cloud.processes import HOST, StartError, uninterrupted
from scripts.local_cloud.s3 import LocalS3
from scripts.local_cloud.server import ApiServer
from scripts.local_cloud.template import load

__all__ = ["BUCKET", "FUNCTION", "ROOT", "LocalCloud", "StartError"]

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = "ScoreFunction"
BUCKET = "local-models"

Step = Callable[[str], AbstractContextManager[object]]


class LocalCloud:
    """S3, the built function on a pool of emulators, and the API in front of it."""

    def __init__(
        self,
        build: Path,
        *,
        template: Path = ROOT / "template.yaml",
        emulators: int = 4,
        port: int = 0,
        overrides: Mapping[str, str] | None = None,
        with_s3: bool = True,
        step: Step = nullcontext,
    ) -> None:
        """Prepare; entering the context starts it all.

        `build` is the artefact of one function, as `sam build` leaves it. `overrides` are laid
        over the function's environment variables. Without S3 the function has no bucket and
        serves the models that are packaged with it. `step` wraps each step that takes time.
        """
        self._build = build
        self._template = template
        self._emulators = emulators
        self._port = port
        self._overrides = dict(overrides or {})
        self._step = step
        self._stack = ExitStack()
        self.with_s3 = with_s3
        self.bucket = BUCKET
        self.api_key = secrets.token_urlsafe(20)
        self.url = ""
        self.api: Api
        self.s3: LocalS3
        self.pool: Pool

    def __enter__(self) -> Self:
        """Start everything; stop what was started if one part fails. Raises StartError."""
        try:
            self._start()
        except BaseException:
            with uninterrupted():
                self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything; a further Ctrl-C does not get in between."""
        with uninterrupted():
            self._stack.close()

    def _start(self) -> None:
        logs = Path(tempfile.mkdtemp(prefix="local-cloud-"))
        self._stack.callback(shutil.rmtree, logs, ignore_errors=True)
        deployment = load(self._template)
        function = deployment.functions[FUNCTION]
        variables = {"MODEL_BUCKET": ""}
        if self.with_s3:
            with self._step("start S3"):
                self.s3 = LocalS3(logs / "s3.log")
                self._stack.callback(self.s3.stop)
                self.s3.start()
                self.s3.wait()
                self.s3.create_bucket(self.bucket)
            variables = {"MODEL_BUCKET": self.bucket, "AWS_ENDPOINT_URL_S3": self.s3.url}
        with self._step("start the Lambda runtimes"):
            check_python(function.runtime)
            task = self._build.resolve()
            packages = runtime_packages(ROOT / ".cache")
            env = environment(function, task, packages, variables | self._overrides)
            self.pool = Pool(function, task, env, self._emulators, logs)
            self._stack.callback(self.pool.stop)
        with self._step("start the API"):
            self.api = Api(deployment.openapi, self.pool, self.api_key)
            try:
                server = ApiServer(self.api, self._port)
            except OSError as error:
                raise StartError(f"port {self._port} of {HOST}: {error.strerror}") from error
            self._stack.callback(server.stop)
            server.start()
            self.url = server.url

    def put_model(self, name: str, document: bytes) -> str:
        """Make `document` the live model of that name; return its S3 version id."""
        return self.s3.client.put_object(Bucket=self.bucket, Key=f"live/{name}.pfa", Body=document)[
            "VersionId"
        ]

    def delete_model(self, name: str) -> None:
        """Delete the live model of that name; its earlier versions stay, as S3 keeps them."""
        self.s3.client.delete_object(Bucket=self.bucket, Key=f"live/{name}.pfa")

    def restart_s3(self) -> None:
        """Start S3 again after `s3.kill()`, at the same address, with an empty bucket."""
        self.s3.start()
        self.s3.wait()
        self.s3.create_bucket(self.bucket)

    def invoke(self, payload: bytes, timeout: float = 30.0) -> Answer:
        """Call the function directly, as Lambda's Invoke does, without the API."""
        return self.pool.invoke(payload, timeout)
