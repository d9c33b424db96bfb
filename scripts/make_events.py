"""Make the events of `sam local invoke -e events/….json` from the sample models."""

from __future__ import annotations

import json
from typing import Any

from scripts import make_sonar
from scripts.local_cloud.events import object_created
from scripts.sample import EVENTS, Document, examples, text

JSON, NDJSON = "application/json", "application/x-ndjson"
APPLICANT = {
    "Status.of.existing.checking.account": "A11",
    "Duration.in.month": 20,
    "Credit.history": "A32",
    "Savings.account.bonds": "A65",
}
HOMES: list[Any] = [{"distance": 150}, {"distance": 0}, {"distance": 1000}]  # one is an error


def request(
    method: str, resource: str, body: str | None = None, content_type: str = JSON, name: str = ""
) -> Document:
    """What API Gateway hands to a function for one request to a REST API (proxy integration).

    Args:
        resource: the route of template.yaml; `name` stands for its `{name}`.
        body: the request's body, or None for a GET.

    Format: "Input format of a Lambda function for proxy integration" of API Gateway's guide.
    """
    path = resource.replace("{name}", name)
    headers = {"Accept": JSON} | ({"Content-Type": content_type} if body is not None else {})
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {key: [value] for key, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"name": name} if name else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "stage": "local",
            "requestId": "00000000-0000-4000-8000-000000000000",
            "resourcePath": resource,
            "path": f"/local{path}",
            "httpMethod": method,
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "sam local invoke"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def score(name: str, record: Any) -> Document:
    """POST one record to a model."""
    return request("POST", "/models/{name}/score", json.dumps(record), name=name)


def files() -> dict[str, str]:
    """File name -> text of each event."""
    sonar = examples(make_sonar.document())[0][0]
    homes = "".join(json.dumps(home) + "\n" for home in HOMES)
    events: dict[str, Any] = {
        "hello": score("hello", 3.14),
        "sonar": score("sonar", sonar),
        "credit": score("credit", APPLICANT),
        "real_estate": score("real_estate", HOMES[0]),
        "batch": request("POST", "/models/{name}/batch", homes, NDJSON, "real_estate"),
        "get_model": request("GET", "/models/{name}", name="sonar"),
        "direct": {"model": "hello", "record": 3.14},
        "upload": object_created("models/hello.pfa", "3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH", 1024),
    }
    return {f"{name}.json": text(event) for name, event in events.items()}


def main() -> None:
    """Write events/."""
    for name, content in files().items():
        (EVENTS / name).write_text(content, encoding="utf-8")
        print(f"events/{name}")


if __name__ == "__main__":
    main()
