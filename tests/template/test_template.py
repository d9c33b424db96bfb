"""Function, bucket, permissions and logs, on the expanded template."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from samtranslator.yaml_helper import yaml_parse

from bucket import Bucket
from score.store import BYTES_PER_BYTE, from_environment
from scripts.build import ROOT

Expanded = Callable[..., dict[str, Any]]
Properties = Callable[[str], dict[str, Any]]

COMBINATIONS = [
    dict(zip(("AccessLogs", "Tracing", "ReservedConcurrency"), values, strict=True))
    for values in product(("true", "false"), ("true", "false"), ("5", "-1"))
]


def parameters() -> dict[str, dict[str, Any]]:
    return dict(yaml_parse((ROOT / "template.yaml").read_text())["Parameters"])


def statements(resources: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement of every role."""
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                yield from policy["PolicyDocument"]["Statement"]


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


# ---- the whole ----------------------------------------------------------------------------------


def test_sam_validates_it_offline_and_without_credentials(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        # Nothing listens on the discard port: a request would fail.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    run = subprocess.run(
        [sys.executable, "-m", "samcli", "validate", "--lint"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "is a valid SAM Template" in run.stdout


@pytest.mark.parametrize("switches", [COMBINATIONS[0], COMBINATIONS[-1]], ids=["on", "off"])
def test_the_expanded_template_is_sound(expanded: Expanded, switches: dict[str, str]) -> None:
    """Among cfn-lint's rules: dangling references and circular dependencies."""
    template = expanded(**switches)
    # W2001: parameters that are settled by now are used no more.
    found = lint(
        json.dumps(template), config=ManualArgs(regions=["eu-west-1"], ignore_checks=["W2001"])
    )
    assert [f"{it.rule.id} {it.path}: {it.message}" for it in found] == []


def test_the_check_above_finds_a_circle(expanded: Expanded) -> None:
    """The bucket names the function that reads it, as it would with an S3 event."""
    template = expanded()
    template["Resources"]["ModelBucket"]["Properties"]["Tags"] = [
        {"Key": "reader", "Value": {"Ref": "ScoreFunction"}}
    ]
    found = lint(json.dumps(template), config=ManualArgs(regions=["eu-west-1"]))
    assert "E3004" in {it.rule.id for it in found}


def test_every_parameter_is_grouped_described_and_checked() -> None:
    interface = yaml_parse((ROOT / "template.yaml").read_text())["Metadata"]
    groups = interface["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parameters())
    for name, parameter in parameters().items():
        assert parameter["Description"], name
        checks = {"AllowedValues", "AllowedPattern", "MinValue"} & parameter.keys()
        assert checks, f"{name} takes anything"


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        ("DefaultModel", ["sonar", "a_b-1", "_x", "A" * 64], ["", "-a", "a.b", "a/b", "A" * 65]),
        (
            "CorsAllowOrigin",
            ["*", "https://app.example.com", "http://localhost:8080"],
            ["", "https://a.com/", "https://a.com,https://b.com", "null", "https://a.com'", "**"],
        ),
        ("StageName", ["v1", "prod_2"], ["", "a-b", "a/b"]),
    ],
)
def test_patterns_of_text_parameters(parameter: str, right: list[str], wrong: list[str]) -> None:
    pattern = parameters()[parameter]["AllowedPattern"]
    assert [text for text in right if not re.fullmatch(pattern, text)] == []
    assert [text for text in wrong if re.fullmatch(pattern, text)] == []


# ---- function -----------------------------------------------------------------------------------


def test_there_is_one_function(resources: dict[str, Any], properties: Properties) -> None:
    functions = [name for name, it in resources.items() if it["Type"] == "AWS::Lambda::Function"]
    assert functions == ["ScoreFunction"]
    function = properties("ScoreFunction")
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "score.app.handler"
    assert "ReservedConcurrentExecutions" not in function
    assert function["TracingConfig"] == {"Mode": "PassThrough"}


def test_switches_of_the_function(expanded: Expanded) -> None:
    template = expanded(Tracing="true", ReservedConcurrency="5", Architecture="x86_64")
    function = template["Resources"]["ScoreFunction"]["Properties"]
    assert function["Architectures"] == ["x86_64"]
    assert function["ReservedConcurrentExecutions"] == "5"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["Environment"]["Variables"]["POWERTOOLS_TRACE_DISABLED"] == "false"
    assert template["Resources"]["ScoreApiStage"]["Properties"]["TracingEnabled"] is True


def test_the_function_ends_before_the_gateway_does() -> None:
    """API Gateway waits 29 s; the function needs a second to say that time ran out."""
    timeout, score = parameters()["Timeout"], parameters()["ScoreTimeoutSeconds"]
    assert timeout["Default"] <= timeout["MaxValue"] < 29
    assert score["MaxValue"] < timeout["MaxValue"]
    assert score["Default"] < timeout["Default"]


def test_the_models_fit_into_the_memory() -> None:
    """The cache, one more model of the largest size while it is loaded, and the rest: 200 MB."""
    default = {name: it["Default"] for name, it in parameters().items()}
    loading = BYTES_PER_BYTE * default["MaxModelMegabytes"]
    assert default["ModelCacheMegabytes"] + loading + 200 <= default["MemorySize"]


def test_the_function_has_the_same_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL_TTL_SECONDS", "MODEL_CACHE_MB", "MODEL_MAX_MB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODEL_BUCKET", "models")
    default = {name: it["Default"] for name, it in parameters().items()}
    made = from_environment()
    assert made.ttl == default["ModelTtlSeconds"]
    assert made.capacity == default["ModelCacheMegabytes"] * 1_000_000
    assert isinstance(made.source, Bucket)
    assert made.source.max_bytes == default["MaxModelMegabytes"] * 1_000_000


def test_the_function_reads_every_variable_that_it_is_given(properties: Properties) -> None:
    given = set(properties("ScoreFunction")["Environment"]["Variables"])
    sources = [*(ROOT / "functions/score").glob("*.py"), ROOT / "functions/bucket.py"]
    text = "".join(path.read_text() for path in sources)
    read = set(re.findall(r'environ(?:\.get)?[\[(]"(\w+)"', text))
    assert read - given <= {"MAX_BODY_BYTES", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}
    assert given - read <= {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_TRACE_DISABLED"}  # Powertools reads


def test_snapstart_never_meets_provisioned_concurrency(expanded: Expanded) -> None:
    """CloudFormation refuses the pair; neither sam nor cfn-lint says so."""
    for switches in COMBINATIONS:
        functions = expanded(**switches)["Resources"].values()
        snap = any("SnapStart" in it.get("Properties", {}) for it in functions)
        provisioned = any("Provisioned" in json.dumps(it) for it in functions)
        assert not (snap and provisioned)


# ---- permissions --------------------------------------------------------------------------------

READ_MODELS = [
    {
        "Sid": "ReadLiveModels",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": {"Fn::Sub": "${ModelBucket.Arn}/live/*"},
    },
    {
        "Sid": "ListLiveModels",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": {"Fn::GetAtt": ["ModelBucket", "Arn"]},
        "Condition": {"StringLike": {"s3:prefix": "live/*"}},
    },
]
WRITE_LOGS = {
    "Sid": "WriteLogs",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": {"Fn::GetAtt": ["ScoreLogs", "Arn"]},
}
WRITE_TRACES = {
    "Sid": "WriteTraces",
    "Effect": "Allow",
    "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    "Resource": "*",
}


def test_the_role_may_read_live_models_and_write_its_logs(expanded: Expanded) -> None:
    """All that is granted, in full: a change here is a change of what the function may do."""
    assert [*statements(expanded()["Resources"])] == [*READ_MODELS, WRITE_LOGS]
    traced = expanded(Tracing="true")["Resources"]
    assert [*statements(traced)] == [*READ_MODELS, WRITE_LOGS, WRITE_TRACES]


def test_nothing_is_granted_in_another_way(resources: dict[str, Any]) -> None:
    types = {it["Type"] for it in resources.values()}
    assert {it for it in types if it.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
    (role,) = [it for it in resources.values() if it["Type"] == "AWS::IAM::Role"]
    assert "ManagedPolicyArns" not in role["Properties"]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    function = resources["ScoreFunction"]["Properties"]
    assert function["Role"] == {"Fn::GetAtt": ["ScoreRole", "Arn"]}


def test_only_this_api_may_call_the_function(resources: dict[str, Any]) -> None:
    permissions = [it for it in resources.values() if it["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == 6
    for permission in permissions:
        assert permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
        source = permission["Properties"]["SourceArn"]["Fn::Sub"]
        assert source[1]["__ApiId__"] == {"Ref": "ScoreApi"}


# ---- bucket -------------------------------------------------------------------------------------


def test_the_bucket_is_private_encrypted_and_versioned(properties: Properties) -> None:
    bucket = properties("ModelBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_outlives_the_stack(resources: dict[str, Any]) -> None:
    for name in ("ModelBucket", "ModelBucketPolicy"):
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_refuses_what_is_not_tls(properties: Properties) -> None:
    policy = properties("ModelBucketPolicy")
    assert policy["Bucket"] == {"Ref": "ModelBucket"}
    conditions = []
    for statement in policy["PolicyDocument"]["Statement"]:
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Action"] == "s3:*"
        assert statement["Resource"] == [
            {"Fn::GetAtt": ["ModelBucket", "Arn"]},
            {"Fn::Sub": "${ModelBucket.Arn}/*"},
        ]
        conditions.append(statement["Condition"])
    assert conditions == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    ]


def test_old_versions_and_unfinished_uploads_go_current_models_never(
    properties: Properties,
) -> None:
    rules = properties("ModelBucket")["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    actions = {key for rule in rules for key in rule} - {"Id", "Status"}
    assert actions == {
        "NoncurrentVersionExpiration",
        "ExpiredObjectDeleteMarker",
        "AbortIncompleteMultipartUpload",
    }


# ---- logs ---------------------------------------------------------------------------------------


def test_every_log_group_is_the_template_s_and_ends(expanded: Expanded) -> None:
    """A group that Lambda made itself would be kept for ever."""
    found = expanded(AccessLogs="true", LogRetentionDays="7")["Resources"]
    groups = {n: it for n, it in found.items() if it["Type"] == "AWS::Logs::LogGroup"}
    assert set(groups) == {"ScoreLogs", "AccessLogGroup"}
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == "7"
    function = found["ScoreFunction"]["Properties"]
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": "ScoreLogs"}, "LogFormat": "Text"}


def test_access_logs_are_json_without_the_callers_text(expanded: Expanded) -> None:
    assert "AccessLogSetting" not in expanded()["Resources"]["ScoreApiStage"]["Properties"]
    stage = expanded(AccessLogs="true")["Resources"]["ScoreApiStage"]["Properties"]
    line = json.loads(stage["AccessLogSetting"]["Format"])
    callers = {"$context.path", "$context.requestId", "$context.identity.userAgent"}
    assert not callers & set(line.values())


# ---- outputs ------------------------------------------------------------------------------------


def test_outputs_say_where_and_how(expanded: Expanded) -> None:
    outputs = expanded()["Outputs"]
    assert {"Url", "Bucket", "ApiKeyCommand", "CurlCommand"} <= set(outputs)
    key = outputs["ApiKeyCommand"]["Value"]["Fn::Sub"]
    assert "aws apigateway get-api-key" in key
    assert "--api-key ${ApiKey} --include-value" in key
    curl = outputs["CurlCommand"]["Value"]["Fn::Sub"]
    assert key.split("--region")[0] in curl
    assert curl.endswith("/models/hello/score")
    assert "\n" not in "".join(strings(outputs))
