"""Routes, keys, CORS and the gateway's own answers, on the expanded template."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

Properties = Callable[[str], dict[str, Any]]
Expanded = Callable[..., dict[str, Any]]

ROUTES = {
    ("post", "/models/{name}/score"),
    ("post", "/score"),
    ("post", "/models/{name}/batch"),
    ("post", "/models/{name}/versions/{version}/score"),
    ("get", "/models/{name}/versions"),
    ("get", "/models"),
    ("get", "/models/{name}"),
    ("get", "/health"),
}
# What API Gateway can say here and what a caller shall see.
STATUSES = {
    "DEFAULT_4XX": 400,
    "ACCESS_DENIED": 403,
    "INVALID_API_KEY": 403,
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "RESOURCE_NOT_FOUND": 404,
    "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "DEFAULT_5XX": 500,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
}


@pytest.fixture(scope="module")
def openapi(properties: Properties) -> dict[str, Any]:
    return dict(properties("ScoreApi")["Body"])


def operations(openapi: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }


def gateway_error(openapi: dict[str, Any], kind: str) -> dict[str, Any]:
    return dict(openapi["x-amazon-apigateway-gateway-responses"][kind])


def test_the_routes(openapi: dict[str, Any]) -> None:
    found = operations(openapi)
    assert {route for route in found if route[0] != "options"} == ROUTES
    for route in ROUTES:
        integration = found[route]["x-amazon-apigateway-integration"]
        assert integration["type"] == "aws_proxy"
        # The alias: a snapshot is of a published version.
        assert "functions/${ScoreFunctionAliaslive}/" in json.dumps(integration["uri"])


def test_every_method_needs_the_key_but_a_preflight_has_none(openapi: dict[str, Any]) -> None:
    assert openapi["components"]["securitySchemes"]["api_key"] == {
        "type": "apiKey",
        "name": "x-api-key",
        "in": "header",
    }
    for (method, path), operation in operations(openapi).items():
        wanted = None if method == "options" else [{"api_key": []}]
        assert operation.get("security") == wanted, f"{method} {path}"


def test_the_key_is_bound_to_the_stage_by_a_plan_with_limits(
    properties: Properties, resources: dict[str, Any]
) -> None:
    plan = properties("UsagePlan")
    assert plan["ApiStages"] == [{"ApiId": {"Ref": "ScoreApi"}, "Stage": {"Ref": "ScoreApiStage"}}]
    assert plan["Throttle"] == {"RateLimit": "50", "BurstLimit": "100"}
    assert plan["Quota"] == {"Limit": "1000000", "Period": "MONTH"}
    assert properties("ApiKey")["Enabled"] is True
    assert properties("UsagePlanKey") == {
        "KeyId": {"Ref": "ApiKey"},
        "KeyType": "API_KEY",
        "UsagePlanId": {"Ref": "UsagePlan"},
    }
    stages = [it for it in resources.values() if it["Type"] == "AWS::ApiGateway::Stage"]
    assert len(stages) == 1


def test_methods_are_throttled_without_a_plan_too(properties: Properties) -> None:
    (settings,) = properties("ScoreApiStage")["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == "50"
    assert settings["ThrottlingBurstLimit"] == "100"
    assert settings["DataTraceEnabled"] is False  # it would log records


def test_the_endpoint_is_regional_and_takes_bodies_as_they_are(
    properties: Properties, openapi: dict[str, Any]
) -> None:
    api = properties("ScoreApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "BinaryMediaTypes" not in api
    assert "x-amazon-apigateway-binary-media-types" not in openapi


@pytest.mark.parametrize("origin", ["*", "https://app.example.com"])
def test_every_path_answers_a_preflight(expanded: Expanded, origin: str) -> None:
    body = expanded(CorsAllowOrigin=origin)["Resources"]["ScoreApi"]["Properties"]["Body"]
    for path in body["paths"]:
        integration = body["paths"][path]["options"]["x-amazon-apigateway-integration"]
        assert integration["type"] == "mock"
        headers = integration["responses"]["default"]["responseParameters"]
        assert static(headers, "method.response.header.") == {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
            "Access-Control-Allow-Headers": "Content-Type,X-Api-Key,If-None-Match",
            "Access-Control-Max-Age": "600",
        }


def static(parameters: dict[str, Any], prefix: str) -> dict[str, str]:
    """Headers set to a constant, which is written in single quotes."""
    found = {}
    for key, text in parameters.items():
        assert re.fullmatch(r"'[^']*'", text), f"{key}: {text}"
        found[key.removeprefix(prefix)] = text[1:-1]
    return found


@pytest.mark.parametrize("origin", ["*", "https://app.example.com"])
def test_the_gateway_s_errors_can_be_read_by_a_browser(expanded: Expanded, origin: str) -> None:
    body = expanded(CorsAllowOrigin=origin)["Resources"]["ScoreApi"]["Properties"]["Body"]
    errors = body["x-amazon-apigateway-gateway-responses"]
    assert set(errors) == set(STATUSES)
    for kind, error in errors.items():
        headers = static(error["responseParameters"], "gatewayresponse.header.")
        assert headers["Access-Control-Allow-Origin"] == origin, kind
        assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_the_gateway_s_errors_are_problem_documents(
    openapi: dict[str, Any], kind: str, status: int
) -> None:
    error = gateway_error(openapi, kind)
    assert int(error["statusCode"]) == status
    ((media_type, template),) = error["responseTemplates"].items()
    assert media_type == "application/json"  # what API Gateway falls back on; see the header
    variables = set(re.findall(r"\$[\w.]+", template))
    assert variables == {"$context.extendedRequestId"}  # chosen by API Gateway, so safe in JSON
    document = json.loads(template)
    assert document.keys() == {"type", "title", "status", "detail", "instance"}
    assert document["status"] == status
    assert re.fullmatch(r"urn:pfa-score:[a-z-]+", document["type"])


def test_the_gateway_and_the_function_name_the_same_error_alike(openapi: dict[str, Any]) -> None:
    """A caller need not know which of the two answered."""
    from score.problems import FAULT, STATUS

    ours = {f"urn:pfa-score:{slug}": (status, title) for status, slug, title in STATUS.values()}
    ours[f"urn:pfa-score:{FAULT[1]}"] = (FAULT[0], FAULT[2])
    shared = 0
    for kind in STATUSES:
        ((_, template),) = gateway_error(openapi, kind)["responseTemplates"].items()
        document = json.loads(template)
        if document["type"] in ours:
            shared += 1
            assert (document["status"], document["title"]) == ours[document["type"]]
    assert shared >= 4
