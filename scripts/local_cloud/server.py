"""The HTTP server in front of the API: sockets, bodies and connections; nothing about routes."""

import re
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from scripts.local_cloud.api import MAX_BODY_BYTES, Request, Response
from scripts.local_cloud.processes import HOST


class Answers(Protocol):
    """What requests are for: the API, or Lambda's Invoke."""

    def answer(self, request: Request) -> Response: ...  # noqa: D102
    def bad_request(self) -> Response: ...  # noqa: D102


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    disable_nagle_algorithm = True  # head and body are two writes: else 40 ms for the second
    timeout = 60.0
    server: "ApiServer"

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except ValueError:
            self.send_error(400)
            return
        self._answer(self.server.api.answer(self._request(body)))

    def _request(self, body: bytes) -> Request:
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            path=url.path,
            query=url.query,
            headers=[(key, value.strip()) for key, value in self.headers.items()],
            body=body,
            source_ip=self.client_address[0],
        )

    def _answer(self, response: Response) -> None:
        self.send_response_only(response.status)
        for key, value in response.headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_PUT = do_POST = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = _serve  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what does not get as far as `_serve` like API Gateway, not with a page of HTML.

        An unknown method is a route that is not there; all else is not HTTP as it should be.
        """
        del message, explain
        self.close_connection = True
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._answer(self.server.api.answer(self._request(b"")))
            return
        self.request_version = self.protocol_version  # else there would be neither status nor head
        self._answer(self.server.api.bad_request())

    def _read_body(self) -> bytes:
        """Read at most MAX_BODY_BYTES + 1 bytes of the body. Raises ValueError if it is broken."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._read_chunks()
        else:
            length = int(self.headers.get("Content-Length") or 0)
            if length < 0:
                raise ValueError("negative length")
            body = self.rfile.read(min(length, MAX_BODY_BYTES + 1))
            if length > MAX_BODY_BYTES:
                self._drain(length - len(body))
            elif len(body) < length:
                raise ValueError("the connection ended inside the body")
        if len(body) > MAX_BODY_BYTES:
            self.close_connection = True
        return body

    def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while size := self._chunk_size():
            total += size
            if total > MAX_BODY_BYTES:
                return bytes(MAX_BODY_BYTES + 1)  # what it holds no longer matters
            parts.append(self.rfile.read(size))
            if self.rfile.readline(1024) != b"\r\n" or len(parts[-1]) < size:
                raise ValueError("a chunk is not as long as it says")
        while self.rfile.readline(65536).strip():  # trailers
            pass
        return b"".join(parts)

    def _chunk_size(self) -> int:
        digits = self.rfile.readline(1024).partition(b";")[0].strip()
        if not re.fullmatch(b"[0-9A-Fa-f]{1,16}", digits):  # int() would take a sign and more
            raise ValueError("no size of a chunk")
        return int(digits, 16)

    def _drain(self, length: int) -> None:
        """Throw away the rest of a body that is too long, so that the client reads the 413."""
        for _ in range(min(length, 64 * 1024 * 1024) // 65536 + 1):
            if not self.rfile.read(min(65536, length)):
                return
            length -= 65536

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the function's own log says what was asked."""


class ApiServer(ThreadingHTTPServer):
    """An API on a loopback port, one thread for each connection."""

    daemon_threads = True
    block_on_close = False  # an idle kept-alive connection would hold the end up
    request_queue_size = 128

    def __init__(self, api: Answers, port: int = 0) -> None:
        """Listen on `port` of the loopback interface; 0 takes a free one. Raises OSError."""
        super().__init__((HOST, port), _Handler)
        self.api = api
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address under which the API answers."""
        return f"http://{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: D102
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: D102
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away in the middle of its request."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Close the port and all connections."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
