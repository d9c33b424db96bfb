"""The sam command with AWS's runtime emulator in the place of a container.

    python -m sam_without_docker REPORT local invoke ...

Writes to REPORT what the function answered and the environment that sam made for it. Uses internals
of sam, whose version the development requirements pin.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from samcli.cli.main import cli
from samcli.commands.local.cli_common.invoke_context import InvokeContext
from samcli.local.lambdafn.config import FunctionConfig

from scripts.local_cloud.lambda_runtime import Emulator, environment, runtime_packages
from scripts.local_cloud.template import Function


class EmulatedRuntime:
    """Stands in for samcli.local.lambdafn.runtime.LambdaRuntime."""

    def __init__(self, report: Path) -> None:
        """`report` is the file to write to."""
        self.report = report

    def invoke(self, config: FunctionConfig, event: str, *_: Any, **__: Any) -> None:
        """Run the function once on an emulator."""
        variables = config.env_vars.resolve()
        task = Path(config.code_abs_path).resolve()
        function = Function(config.name, config.handler, config.runtime, config.timeout, 0, {})
        cache = Path(__file__).parents[2] / ".cache"
        cache.mkdir(exist_ok=True)
        clean = environment(function, task, runtime_packages(cache), {})
        names = ("PATH", "LANG", "LAMBDA_TASK_ROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        env = {name: clean[name] for name in names} | {"_HANDLER": config.handler} | variables
        if s3 := os.environ.get("AWS_ENDPOINT_URL_S3"):
            env["AWS_ENDPOINT_URL_S3"] = s3
        with tempfile.TemporaryDirectory() as folder:
            emulator = Emulator(config.handler, task, env, Path(folder) / "log")
            try:
                answer = emulator.invoke(event.encode(), timeout=config.timeout)
            finally:
                emulator.stop()
        found = {"answer": answer.payload.decode(), "environment": variables}
        self.report.write_text(json.dumps(found))


def main() -> None:
    """Run sam."""
    runtime = EmulatedRuntime(Path(sys.argv[1]))
    InvokeContext.lambda_runtime = property(lambda self: runtime)  # type: ignore[assignment]
    InvokeContext._get_container_manager = staticmethod(  # type: ignore[method-assign]
        lambda *_: SimpleNamespace(is_docker_reachable=True)
    )
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    cli(args=sys.argv[2:], prog_name="sam")


if __name__ == "__main__":
    main()
