"""S3 on loopback: moto's server in a process of its own, so that a test can kill or stall it."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from scripts.local_cloud.processes import HOST, Child, free_port
from scripts.local_cloud.template import REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class LocalS3:
    """A moto server. It keeps everything in memory: what it held is gone when it stops."""

    def __init__(self, log: Path) -> None:
        """Choose a port; `start` starts the server."""
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.log = log
        self._child: Child | None = None
        self.client = self.make_client()

    def make_client(self) -> "S3Client":
        """Return a client of this server; closing it is the caller's."""
        # One attempt and short limits: against loopback a retry only hides that the server died.
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=2,
                read_timeout=20,
                s3={"addressing_style": "path"},
                proxies={},  # not through a proxy that the environment names
            ),
        )

    def start(self) -> None:
        """Start the server, empty, on the same port each time. Raises StartError."""
        command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        self._child = Child(command, env=os.environ, cwd=self.log.parent, log=self.log)

    def wait(self) -> None:
        """Return when the server answers. Raises StartError."""
        if self._child is not None:
            self._child.wait_for_port(self.port, seconds=30)

    def create_bucket(self, name: str) -> None:
        """Create a versioned bucket, as template.yaml has it."""
        self.client.create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        self.client.put_bucket_versioning(
            Bucket=name, VersioningConfiguration={"Status": "Enabled"}
        )

    def kill(self) -> None:
        """End the server at once, as a crash would: connections are then refused."""
        if self._child is not None:
            self._child.kill()

    def stall(self) -> None:
        """Freeze the server: it still takes connections, but never answers."""
        if self._child is not None:
            self._child.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a stalled server go on."""
        if self._child is not None:
            self._child.signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the server and close the client's connections."""
        self.client.close()
        if self._child is not None:
            self._child.kill()
