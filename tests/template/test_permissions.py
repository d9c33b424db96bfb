"""Who may do what with the bucket and call the functions, on the expanded template."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from gate import notify

Expanded = Callable[..., dict[str, Any]]
Properties = Callable[[str], dict[str, Any]]


def under(*prefixes: str) -> Any:
    """ARNs of the objects under these prefixes."""
    arns = [{"Fn::Sub": f"${{ModelBucket.Arn}}/{prefix}/*"} for prefix in prefixes]
    return arns[0] if len(arns) == 1 else arns


BUCKET = {"Fn::GetAtt": ["ModelBucket", "Arn"]}
LOST = {"Fn::GetAtt": ["LostUploads", "Arn"]}
READ = ["s3:GetObject", "s3:GetObjectVersion"]
LIST = ["s3:ListBucket", "s3:ListBucketVersions"]


def allow(sid: str, action: str | list[str], resource: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def write_logs(group: str) -> dict[str, Any]:
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return allow("WriteLogs", actions, {"Fn::GetAtt": [group, "Arn"]})


SCORE = [
    allow("ReadLiveModels", READ, under("live")),
    allow("ListLiveModels", LIST, BUCKET, StringLike={"s3:prefix": "live/*"}),
    write_logs("ScoreLogs"),
]
GATE = [
    allow("ReadModels", READ, under("models", "live", "reports")),
    allow("ListModels", LIST, BUCKET),
    allow("WriteVerdicts", "s3:PutObject", under("live", "reports")),
    allow("RemoveLiveModels", "s3:DeleteObject", under("live")),
    allow(
        "TellVerdicts",
        "events:PutEvents",
        {
            "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}"
            ":event-bus/default"
        },
        StringEquals={"events:source": "pfa-score"},
    ),
    allow("KeepLostUploads", "sqs:SendMessage", LOST),
    write_logs("GateLogs"),
]
WRITE_TRACES = allow("WriteTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")


def test_the_gate_s_events_are_those_that_it_may_send() -> None:
    (statement,) = [it for it in GATE if it["Action"] == "events:PutEvents"]
    assert statement["Condition"] == {"StringEquals": {"events:source": notify.SOURCE}}


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize(("role", "granted"), [("ScoreRole", SCORE), ("GateRole", GATE)])
def test_all_that_a_role_is_granted(
    expanded: Expanded, role: str, granted: list[dict[str, Any]]
) -> None:
    """In full: a change here is a change of what the function may do."""
    assert [*statements(expanded()["Resources"][role])] == granted
    traced = expanded(Tracing="true")["Resources"][role]
    assert [*statements(traced)] == [*granted, WRITE_TRACES]


def test_nothing_is_granted_in_another_way(resources: dict[str, Any]) -> None:
    types = {it["Type"] for it in resources.values()}
    assert {it for it in types if it.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
    roles = {name: it for name, it in resources.items() if it["Type"] == "AWS::IAM::Role"}
    assert roles.keys() == {"ScoreRole", "GateRole"}
    for name, role in roles.items():
        assert "ManagedPolicyArns" not in role["Properties"]
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        function = resources[name.replace("Role", "Function")]["Properties"]
        assert function["Role"] == {"Fn::GetAtt": [name, "Arn"]}


def test_who_may_call_the_functions(resources: dict[str, Any]) -> None:
    permissions = [
        it["Properties"] for it in resources.values() if it["Type"] == "AWS::Lambda::Permission"
    ]
    by_api = [it for it in permissions if it["Principal"] == "apigateway.amazonaws.com"]
    assert len(by_api) == 8
    for permission in by_api:
        assert permission["FunctionName"] == {"Ref": "ScoreFunctionAliaslive"}
        assert permission["SourceArn"]["Fn::Sub"][1]["__ApiId__"] == {"Ref": "ScoreApi"}
    (by_rule,) = [it for it in permissions if it not in by_api]
    assert by_rule == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "GateFunction"},
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["GateFunctionUpload", "Arn"]},
    }


def test_only_the_rule_may_put_events_into_the_queue(properties: Properties) -> None:
    policy = properties("LostUploadsPolicy")
    assert policy["Queues"] == [{"Ref": "LostUploads"}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", LOST)
    rule = {"Fn::GetAtt": ["GateFunctionUpload", "Arn"]}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}


# ---- bucket policy ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def policy(properties: Properties) -> list[dict[str, Any]]:
    """Statements of the bucket's policy."""
    found = properties("ModelBucketPolicy")
    assert found["Bucket"] == {"Ref": "ModelBucket"}
    return list(found["PolicyDocument"]["Statement"])


def test_the_bucket_refuses_what_is_not_tls(policy: list[dict[str, Any]]) -> None:
    for statement in policy[:2]:
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Action"] == "s3:*"
        assert statement["Resource"] == [BUCKET, {"Fn::Sub": "${ModelBucket.Arn}/*"}]
    assert [statement["Condition"] for statement in policy[:2]] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    ]


def refused(policy: list[dict[str, Any]], action: str, key: str, role: str) -> bool:
    """Whether the bucket's policy denies a role's action on an object, over TLS."""
    (statement,) = policy[2:]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    # Negated, the condition holds for a caller without the key too. Of an assumed role
    # aws:PrincipalArn is the role's, and so the session's name does not matter.
    assert statement["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["GateRole", "Arn"]}}
    }
    objects = [arn["Fn::Sub"].removeprefix("${ModelBucket.Arn}/") for arn in statement["Resource"]]
    return (
        role != "GateRole"
        and any(fnmatchcase(key, pattern) for pattern in objects)
        and any(fnmatchcase(action, pattern) for pattern in statement["Action"])
    )


# All actions on an object that change it, by the service authorization reference of S3.
WRITES = (
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionTagging",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionTagging",
    "ReplicateObject",
    "ReplicateDelete",
    "ReplicateTags",
)


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("role", ["ScoreRole", "Administrator", ""])
def test_nobody_but_the_gate_writes_live_models_and_reports(
    policy: list[dict[str, Any]], action: str, role: str
) -> None:
    keys = ("live/a.pfa", "live/a.artifact", "live/a.routes.json", "reports/a/1.json")
    for key in keys:
        assert refused(policy, f"s3:{action}", key, role)
        assert not refused(policy, f"s3:{action}", key, "GateRole")
    for key in ("models/a.pfa", "models/live/a.pfa", "live.pfa"):
        assert not refused(policy, f"s3:{action}", key, role)


def test_others_may_read_what_is_live(policy: list[dict[str, Any]]) -> None:
    for action in ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"):
        assert not refused(policy, action, "live/a.pfa", "ScoreRole")
