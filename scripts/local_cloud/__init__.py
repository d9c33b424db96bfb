"""The cloud on this machine: S3, the Lambda runtime, the gate and the API, all on loopback.

    with LocalCloud(build) as cloud:
        cloud.wait_for_report("hello", cloud.upload("hello", document))
        httpx.post(cloud.url + "/models/hello/score", headers={"x-api-key": cloud.api_key}, ...)

S3 is moto's server, the runtime AWS's emulator with its own Python client, and the API is read
from template.yaml. Uploads go to the gate as EventBridge would send them, and its functions can be
called through Lambda's Invoke. What was started is stopped at the end, whatever the end is.
"""

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError

from scripts.local_cloud.api import Api
from scripts.local_cloud.events import BUCKET
from scripts.local_cloud.invoke import InvokeApi
from scripts.local_cloud.lambda_runtime import (
    Answer,
    Pool,
    check_python,
    environment,
    runtime_packages,
)
from scripts.local_cloud.processes import HOST, StartError, uninterrupted
from scripts.local_cloud.s3 import LocalS3
from scripts.local_cloud.server import Answers, ApiServer
from scripts.local_cloud.template import Function, load
from scripts.local_cloud.uploads import Uploads

__all__ = ["BUCKET", "FUNCTION", "GATE", "ROOT", "LocalCloud", "StartError"]

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = "ScoreFunction"
GATE = "GateFunction"

Step = Callable[[str], AbstractContextManager[object]]


class LocalCloud:
    """S3, the score function on a pool of emulators, the API in front of it, and the gate."""

    def __init__(
        self,
        build: Path,
        *,
        template: Path = ROOT / "template.yaml",
        emulators: int = 4,
        port: int = 0,
        overrides: Mapping[str, str] | None = None,
        gate_overrides: Mapping[str, str] | None = None,
        with_s3: bool = True,
        step: Step = nullcontext,
    ) -> None:
        """Prepare; entering the context starts it all.

        `build` is the artefact of the functions, as `sam build` leaves it. `overrides` are laid
        over the score function's environment variables, `gate_overrides` over the gate's. Without
        S3 the function has no bucket and serves the models that are packaged with it, and there is
        no gate; nor is there one if the template has none. `step` wraps each step that takes time.
        """
        self._build = build
        self._template = template
        self._emulators = emulators
        self._port = port
        self._overrides = {FUNCTION: dict(overrides or {}), GATE: dict(gate_overrides or {})}
        self._step = step
        self._stack = ExitStack()
        self.with_s3 = with_s3
        self.bucket = BUCKET
        self.api_key = secrets.token_urlsafe(20)
        self.url = ""
        self.lambda_url = ""  # of Lambda's Invoke
        self.api: Api
        self.s3: LocalS3
        self.pool: Pool
        self.gate: Pool
        self.uploads: Uploads

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
        functions = deployment.functions
        variables = {"MODEL_BUCKET": ""}
        if self.with_s3:
            with self._step("start S3"):
                self.s3 = LocalS3(logs / "s3.log")
                self._stack.callback(self.s3.stop)
                self.s3.start()
                self.s3.wait()
                self.s3.create_bucket(self.bucket)
            variables = {"MODEL_BUCKET": self.bucket, "AWS_ENDPOINT_URL_S3": self.s3.url}
        pools = {}
        with self._step("start the Lambda runtimes"):
            function = functions[FUNCTION]
            self.pool = self._start_pool(function, variables, logs, self._emulators)
            pools[FUNCTION] = self.pool
            if self.with_s3 and GATE in functions:
                variables["EVENT_BUS"] = ""  # there is none here
                self.gate = self._start_pool(functions[GATE], variables, logs, 1)
                pools[GATE] = self.gate
                self.uploads = Uploads(self.s3, self.bucket, self.gate)
                self._stack.callback(self.uploads.stop)
                self.uploads.start()
        with self._step("start the API"):
            self.api = Api(deployment.openapi, self.pool, self.api_key)
            self.url = self._serve(self.api, self._port)
            self.lambda_url = self._serve(InvokeApi(pools), 0)

    def _start_pool(
        self, function: Function, variables: Mapping[str, str], logs: Path, size: int
    ) -> Pool:
        check_python(function.runtime)
        task = self._build.resolve()
        packages = runtime_packages(ROOT / ".cache")
        overrides = {**variables, **self._overrides[function.name]}
        folder = logs / function.name
        folder.mkdir()
        env = environment(function, task, packages, overrides)
        pool = Pool(function, task, env, size, folder)
        self._stack.callback(pool.stop)
        return pool

    def _serve(self, api: Answers, port: int) -> str:
        """Serve an API; return its address."""
        try:
            server = ApiServer(api, port)
        except OSError as error:
            raise StartError(f"port {port} of {HOST}: {error.strerror}") from error
        self._stack.callback(server.stop)
        server.start()
        return server.url

    def upload(self, name: str, document: bytes, suffix: str = ".pfa") -> str:
        """Upload a model, as a data scientist does; return its S3 version id.

        The gate then checks it, unless a newer one comes before.
        """
        key = f"models/{name}{suffix}"
        return self.s3.client.put_object(Bucket=self.bucket, Key=key, Body=document)["VersionId"]

    def wait_for_report(self, name: str, version: str, seconds: float = 60.0) -> dict[str, Any]:
        """Return the gate's report on an upload when there is one. Raises TimeoutError.

        What passed is live by then. There never is one on an upload that a newer one overtook.
        """
        give_up = time.monotonic() + seconds
        key = f"reports/{name}/{version}.json"
        while time.monotonic() < give_up:
            try:
                answer = self.s3.client.get_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                time.sleep(0.05)
            else:
                report: dict[str, Any] = json.loads(answer["Body"].read())
                return report
        lost = " It failed three times." if self.uploads.lost else ""
        raise TimeoutError(f"the gate has no report on model {name} after {seconds:g} s.{lost}")

    def put_model(self, name: str, document: bytes) -> str:
        """Make `document` the live model, past the gate; return its S3 version id.

        For tests: on AWS nobody but the gate may do this.
        """
        return self.s3.client.put_object(Bucket=self.bucket, Key=f"live/{name}.pfa", Body=document)[
            "VersionId"
        ]

    def delete_model(self, name: str) -> None:
        """Delete the live model, past the gate; its earlier versions stay, as S3 keeps them."""
        self.s3.client.delete_object(Bucket=self.bucket, Key=f"live/{name}.pfa")

    def restart_s3(self) -> None:
        """Start S3 again after `s3.kill()`, at the same address, with an empty bucket."""
        self.s3.start()
        self.s3.wait()
        self.s3.create_bucket(self.bucket)

    def invoke(self, payload: bytes, timeout: float = 30.0) -> Answer:
        """Call the score function directly, as Lambda's Invoke does, without the API."""
        return self.pool.invoke(payload, timeout)
