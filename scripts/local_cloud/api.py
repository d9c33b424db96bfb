"""API Gateway's REST API on loopback: HTTP in, Lambda proxy events out, by the template's routes.

Events and failures follow AWS's documentation of Lambda proxy integrations and gateway responses:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
Not emulated: the usage plan's throttling and quota, request validators, authorizers, caching.
"""

import base64
import hmac
import http.client
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from scripts.local_cloud.lambda_runtime import Answer, InvokeTimeoutError
from scripts.local_cloud.template import ACCOUNT

# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_BODY_BYTES = 10 * 1024 * 1024
DEFAULT_TIMEOUT_SECONDS = 29.0
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB plus 100 bytes
MAX_EVENT_BYTES = 6_291_556

STAGE = "local"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ANSWER_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}

# Gateway response type -> status and message, as in AWS's table.
GATEWAY_RESPONSES = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "DEFAULT_4XX": (400, "Bad Request"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    # A function that fails, or answers what is no proxy answer, is 502 and has no type of its own.
    "DEFAULT_5XX": (502, "Internal server error"),
}


class Function(Protocol):
    """What runs the function: the pool of emulators."""

    def invoke(self, payload: bytes, timeout: float) -> Answer: ...  # noqa: D102


@dataclass(frozen=True)
class Route:
    """One method of one resource of the OpenAPI document."""

    resource: str
    method: str
    pattern: re.Pattern[str]
    needs_key: bool
    timeout: float
    mock: "Response | None"


@dataclass(frozen=True)
class Response:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class ProxyAnswerError(Exception):
    """The function's answer is not what a proxy integration must return."""


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came in; the path stays percent-encoded, as API Gateway leaves it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str

    def header(self, name: str) -> str:
        """Return the last header of that name, or an empty text."""
        values = [value for key, value in self.headers if key.lower() == name]
        return values[-1] if values else ""


class Api:
    """The routes of an OpenAPI document in front of one Lambda function."""

    def __init__(self, openapi: Mapping[str, Any], function: Function, api_key: str) -> None:
        """Read the routes from `openapi`, API Gateway's extensions resolved."""
        self._function = function
        self._api_key = api_key
        self._responses = openapi.get("x-amazon-apigateway-gateway-responses", {})
        self._binary = set(openapi.get("x-amazon-apigateway-binary-media-types", ()))
        default_security = openapi.get("security", [])
        # API Gateway prefers a fixed path over one with a parameter.
        self.routes = sorted(
            (
                _route(resource, method, operation, default_security)
                for resource, operations in openapi["paths"].items()
                for method, operation in operations.items()
                if method in (*METHODS, "x-amazon-apigateway-any-method")
            ),
            key=lambda route: [part.startswith("{") for part in route.resource.split("/")],
        )

    def answer(self, request: Request) -> Response:
        """Answer one request. Raises nothing: every failure has a gateway response."""
        request_id = str(uuid.uuid4())
        for route in self.routes:
            match = route.pattern.fullmatch(request.path)
            if match and route.method in (request.method, "ANY"):
                break
        else:
            return self._gateway_response("MISSING_AUTHENTICATION_TOKEN", request, request_id)
        if len(request.body) > MAX_BODY_BYTES:
            return self._gateway_response("REQUEST_TOO_LARGE", request, request_id)
        if route.mock:
            return route.mock
        given = request.header("x-api-key").encode()
        if route.needs_key and not hmac.compare_digest(given, self._api_key.encode()):
            return self._gateway_response("INVALID_API_KEY", request, request_id)
        event = json.dumps(self._event(request, route, match.groupdict(), request_id)).encode()
        if len(event) > MAX_EVENT_BYTES:
            return self._gateway_response("REQUEST_TOO_LARGE", request, request_id)
        return self._integration(event, route, request, request_id)

    def bad_request(self) -> Response:
        """Return the answer to what is not HTTP as it should be, of which no route is known."""
        unknown = Request(method="-", path="", query="", headers=[], body=b"", source_ip="")
        return self._gateway_response("DEFAULT_4XX", unknown, str(uuid.uuid4()))

    def _integration(
        self, event: bytes, route: Route, request: Request, request_id: str
    ) -> Response:
        # A function that runs into its own timeout has failed (502); 504 is only for one that
        # still runs when the integration's time is over.
        try:
            answer = self._function.invoke(event, route.timeout)
        except InvokeTimeoutError:
            return self._gateway_response("INTEGRATION_TIMEOUT", request, request_id)
        except (OSError, http.client.HTTPException):
            return self._gateway_response("DEFAULT_5XX", request, request_id)
        try:
            if answer.error is not None:
                raise ProxyAnswerError(answer.error)
            response = self._response(answer.payload, request)
        except ProxyAnswerError:
            return self._gateway_response("DEFAULT_5XX", request, request_id)
        response.headers.append(("x-amzn-RequestId", request_id))
        return response

    def _event(
        self, request: Request, route: Route, parameters: dict[str, str], request_id: str
    ) -> dict[str, Any]:
        """Build the proxy event, payload format 1.0."""
        headers: dict[str, list[str]] = {}
        for key, value in request.headers:
            headers.setdefault(key, []).append(value)
        query: dict[str, list[str]] = {}
        for key, value in parse_qsl(request.query, keep_blank_values=True):
            query.setdefault(key, []).append(value)
        media_type = request.header("content-type").partition(";")[0].strip().lower()
        binary = bool({media_type, "*/*"} & self._binary)
        text = base64.b64encode(request.body) if binary else request.body
        now = time.time()
        return {
            "resource": route.resource,
            "path": request.path,
            "httpMethod": request.method,
            # The last of several values, as API Gateway does.
            "headers": {key: values[-1] for key, values in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": {k: v[-1] for k, v in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "domainName": request.header("host"),
                "domainPrefix": "local",
                "extendedRequestId": request_id,
                "httpMethod": request.method,
                "identity": {
                    "sourceIp": request.source_ip,
                    "userAgent": request.header("user-agent"),
                },
                "path": f"/{STAGE}{request.path}",
                "protocol": "HTTP/1.1",
                "requestId": request_id,
                "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
                "requestTimeEpoch": int(now * 1000),
                "resourceId": "local",
                "resourcePath": route.resource,
                "stage": STAGE,
            },
            "body": text.decode(errors="replace") if text else None,
            "isBase64Encoded": binary,
        }

    def _response(self, payload: bytes, request: Request) -> Response:
        """Turn the function's payload into an HTTP answer. Raises ProxyAnswerError."""
        try:
            answer = json.loads(payload)
        except ValueError as error:
            raise ProxyAnswerError("not JSON") from error
        if not isinstance(answer, dict) or not answer.keys() <= ANSWER_KEYS:
            raise ProxyAnswerError("not an object with the keys of a proxy answer")
        try:
            status = int(answer.get("statusCode", 200))
            body = answer.get("body") or ""
            headers = _merge_headers(answer.get("headers"), answer.get("multiValueHeaders"))
        except (TypeError, ValueError, AttributeError) as error:
            raise ProxyAnswerError("wrong types") from error
        if not isinstance(body, str) or not 100 <= status <= 599:
            raise ProxyAnswerError("wrong types")
        accept = request.header("accept").partition(",")[0].partition(";")[0].strip()
        if answer.get("isBase64Encoded") and {accept, "*/*"} & self._binary:
            try:
                content = base64.b64decode(body, validate=True)
            except ValueError as error:
                raise ProxyAnswerError("not base64") from error
        else:
            content = body.encode()
        if not any(key.lower() == "content-type" for key, _ in headers):
            headers.append(("Content-Type", "application/json"))
        return Response(status, headers, content)

    def _gateway_response(self, kind: str, request: Request, request_id: str) -> Response:
        """Make an error of the gateway itself, with the template's headers and body for it."""
        status, message = GATEWAY_RESPONSES[kind]
        given = self._responses.get(kind) or self._responses.get(f"DEFAULT_{status // 100}XX", {})
        media_type, body = next(
            iter(given.get("responseTemplates", {}).items()),
            ("application/json", '{"message":$context.error.messageString}'),
        )
        headers = {
            "Content-Type": media_type,
            "x-amzn-RequestId": request_id,
            "x-amzn-ErrorType": kind,
        } | _constants(given, "gatewayresponse.header.")
        context = {
            "extendedRequestId": request_id,
            "error.messageString": json.dumps(message),
            "error.message": message,
            "error.responseType": kind,
            "httpMethod": request.method,
            "path": json.dumps(f"/{STAGE}{request.path}")[1:-1],
            "requestId": request_id,
        }
        body = re.sub(r"\$context\.(\w+(?:\.\w+)?)", lambda match: context.get(match[1], "-"), body)
        return Response(int(given.get("statusCode", status)), [*headers.items()], body.encode())


def _route(
    resource: str, method: str, operation: Mapping[str, Any], default_security: list[Any]
) -> Route:
    integration = operation["x-amazon-apigateway-integration"]
    pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(resource))
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
    security = operation.get("security", default_security)
    return Route(
        resource=resource,
        method="ANY" if method.startswith("x-") else method.upper(),
        pattern=re.compile(pattern),
        needs_key=any("api_key" in entry for entry in security),
        timeout=float(integration.get("timeoutInMillis", DEFAULT_TIMEOUT_SECONDS * 1000)) / 1000,
        mock=_mock(integration) if integration["type"].lower() == "mock" else None,
    )


def _mock(integration: Mapping[str, Any]) -> Response:
    """Return the constant answer of a mock integration, which is how SAM answers a preflight."""
    given: Mapping[str, Any] = next(iter(integration.get("responses", {}).values()), {})
    headers = _constants(given, "method.response.header.")
    body = next(iter(given.get("responseTemplates", {}).values()), "").strip()
    return Response(
        int(given.get("statusCode", 200)),
        [*headers.items()],
        b"" if body in ("", "{}") else body.encode(),
    )


def _constants(response: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Return the headers that a response sets to a constant, written in single quotes."""
    return {
        key.removeprefix(prefix): str(value).strip("'")
        for key, value in response.get("responseParameters", {}).items()
        if key.startswith(prefix)
    }


def _merge_headers(
    single: Mapping[str, Any] | None, multi: Mapping[str, list[Any]] | None
) -> list[tuple[str, str]]:
    """Merge both header maps; a pair that is in both appears once."""
    pairs = [(key, str(value)) for key, values in (multi or {}).items() for value in values]
    extra = [(key, str(value)) for key, value in (single or {}).items()]
    return pairs + [pair for pair in extra if pair not in pairs]
