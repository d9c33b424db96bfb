"""Child processes on loopback which never outlive the process that started them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"

# The kernel sends PDEATHSIG when the *thread* that forked the child ends, not its process: a
# request thread that replaces an emulator would take it along. So one thread, which ends with
# this process, starts them all.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


class StartError(Exception):
    """A child process did not start; the message holds the last lines that it wrote."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def die_with_parent() -> list[str]:
    """Return the words to put before a command so that the kernel kills it with its parent.

    Covers the one case in which no `finally` runs: this process killed by SIGKILL. `setpriv`
    comes with util-linux; without it that single case is not covered.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None or not sys.platform.startswith("linux"):
        return []
    return [setpriv, "--pdeathsig", "KILL", "--"]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C, SIGTERM and SIGHUP while the block stops what was started."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class Child:
    """A process in a session of its own, so that a Ctrl-C in the terminal reaches only us."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        """Start `command`; its output is appended to the file `log`."""
        self.log = log
        with log.open("ab") as output:
            self.process = _SPAWNER.submit(
                subprocess.Popen,
                [*die_with_parent(), *command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ).result()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def wait_for_port(self, port: int, seconds: float) -> None:
        """Return when the process accepts connections on `port`.

        Raises StartError if it ends before, or has not opened the port within `seconds`.
        """
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            if not self.alive:
                raise StartError(f"ended with status {self.process.returncode}\n{self.tail()}")
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        self.stop()
        raise StartError(f"no answer on port {port} within {seconds:.0f} s\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the process's output."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def signal(self, number: int) -> None:
        """Send a signal to the process alone, if it still runs."""
        if self.alive:
            self.process.send_signal(number)

    def stop(self, grace: float = 2.0) -> None:
        """End the process: SIGTERM, then SIGKILL for it and its group after `grace` seconds.

        SIGTERM first, because the emulator then kills the Python process that it started,
        which is in a process group of its own.
        """
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.signal(signal.SIGKILL)
        self.process.wait()
