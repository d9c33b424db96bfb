"""Lambda's Invoke call over HTTP, for the AWS CLI and SDKs with AWS_ENDPOINT_URL_LAMBDA.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
Signatures are not checked: who reaches the loopback interface may call.
"""

import http.client
import json
import re
import threading
from collections.abc import Mapping
from urllib.parse import unquote

from scripts.local_cloud.api import Request, Response
from scripts.local_cloud.lambda_runtime import InvokeTimeoutError, Pool

# The name may be an ARN, and have a version or an alias behind it.
NAME = r"(?:arn:[^/]*:function:)?([A-Za-z0-9_-]+)[^/]*"
PATH = re.compile(rf"/2015-03-31/functions/{NAME}/invocations")
MAX_EVENT_BYTES = {"RequestResponse": 6_291_556, "Event": 1_048_576}


class InvokeApi:
    """Functions by name, each with the pool that runs it."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        """`pools` are asked by the functions' logical ids."""
        self._pools = pools

    def answer(self, request: Request) -> Response:
        """Answer one request. Raises nothing."""
        match = PATH.fullmatch(unquote(request.path))
        if request.method != "POST" or match is None:
            return _error(404, "ResourceNotFoundException", "There is only Invoke here.")
        pool = self._pools.get(match[1])
        if pool is None:
            return _error(404, "ResourceNotFoundException", f"Function not found: {match[1]}")
        kind = request.header("x-amz-invocation-type") or "RequestResponse"
        if kind not in MAX_EVENT_BYTES:
            return _error(400, "InvalidParameterValueException", "No such invocation type.")
        if len(request.body) > MAX_EVENT_BYTES[kind]:
            return _error(413, "RequestTooLargeException", "The event is too large.")
        payload = request.body or b"{}"
        try:
            json.loads(payload)
        except ValueError:
            return _error(400, "InvalidRequestContentException", "The event is not JSON.")
        if kind == "Event":
            threading.Thread(target=_run, args=(pool, payload), daemon=True).start()
            return Response(202)
        return _run(pool, payload)

    def bad_request(self) -> Response:
        """Return the answer to what is not HTTP as it should be."""
        return _error(400, "InvalidRequestContentException", "The request is not HTTP.")


def _run(pool: Pool, payload: bytes) -> Response:
    headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
    try:
        answer = pool.invoke(payload, pool.function.timeout + 5.0)
    except (InvokeTimeoutError, OSError, http.client.HTTPException) as error:
        body = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": type(error).__name__})
        return Response(200, [*headers, ("X-Amz-Function-Error", "Unhandled")], body.encode())
    if answer.error is not None:
        headers.append(("X-Amz-Function-Error", "Unhandled"))
    return Response(200, headers, answer.payload)


def _error(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return Response(
        status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", kind)], body
    )
