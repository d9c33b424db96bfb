"""An S3 on loopback that fails on demand, the way a socket sees it."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ERROR = '<?xml version="1.0"?><Error><Code>{}</Code><Message>no</Message></Error>'


class FaultyS3:
    """Serves `objects` (S3 key -> bytes) of any bucket; `mode` is what goes wrong.

    `modes` are those of single keys, `metadata` what objects have.

    ok, hang (accepts, never answers), half (breaks off in the body), short (says a smaller length),
    drip (a byte now and then), denied (403), down (500), garbage (no HTTP).
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.mode = "ok"
        self.modes: dict[str, str] = {}
        self.calls: list[str] = []
        self.released = threading.Event()
        fault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fault.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a client that gave up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        address = urlsplit(request.path)
        key = address.path.partition("/")[2].partition("/")[2]
        self.calls.append(key or "list")
        request.close_connection = True
        body = self.objects.get(key)
        etag = f'"{hashlib.md5(body or b"").hexdigest()}"'
        mode = self.modes.get(key, self.mode)
        if mode == "hang":
            self.released.wait(30)
        elif mode == "garbage":
            request.wfile.write(b"\x00\xff nonsense\r\n\r\n")
        elif mode == "down":
            self.send(request, 500, ERROR.format("InternalError").encode())
        elif mode == "denied":
            self.send(request, 403, ERROR.format("AccessDenied").encode())
        elif not key or body is None:
            listed = "".join(f"<Contents><Key>{k}</Key></Contents>" for k in sorted(self.objects))
            page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
            code = ERROR.format("NoSuchKey")
            self.send(request, 404 if key else 200, (code if key else page).encode())
        elif request.headers.get("If-None-Match") == etag:
            self.send(request, 304, b"", etag)
        else:
            self.send(request, 200, body, etag, mode, self.metadata.get(key, {}))

    def send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        etag: str = "",
        mode: str = "ok",
        metadata: dict[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        length = len(body) - 10 if mode == "short" else len(body)
        request.send_header("Content-Length", str(length))
        request.send_header("Connection", "close")  # or the client may send the next one there
        if etag:
            request.send_header("ETag", etag)
            request.send_header("x-amz-version-id", f"v-{etag[1:9]}")
        for name, value in (metadata or {}).items():
            request.send_header(f"x-amz-meta-{name}", value)
        request.end_headers()
        if mode == "half":
            request.wfile.write(body[: len(body) // 2])
        elif mode == "drip":
            for byte in body:
                request.wfile.write(bytes([byte]))
                if self.released.wait(0.05):
                    return
        else:
            request.wfile.write(body[:length])
