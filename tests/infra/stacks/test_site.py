"""The report site as the template has it: who may read what, over what, and who is let back in."""

import json
from dataclasses import replace
from typing import Any

import pytest

from infra.aws.synth import PACKAGED
from infra.cost.cost import Load, monthly
from infra.cost.prices import prices
from infra.project.carried import CHARTS
from infra.project.loading import ProjectError, load
from infra.site.function.settings import Settings
from infra.stacks.alarms import alarm_rules
from infra.stacks.artefact_zips import source_files
from infra.stacks.artefacts import EXTRACT, SITE, artefacts_of
from infra.stacks.templates import ACCOUNT_ID, REGION, Resource, of_type, read
from queries.api.callers import OPERATORS, VIEWERS
from tests.shop import DASHBOARDS, SHOP, WEB

RESOURCES = read(PACKAGED)
DEPLOYMENT = SHOP.default


def one(kind: str, name: str = "") -> Resource:
    found = [each for each in of_type(RESOURCES, kind) if not name or each.name == name]
    assert len(found) == 1, [each.logical_id for each in found]
    return found[0]


def distribution() -> Any:
    return one("AWS::CloudFront::Distribution").properties["DistributionConfig"]


def test_the_page_is_read_by_the_distribution_alone_and_over_tls() -> None:
    shell = f"penstock-site-{ACCOUNT_ID}-{REGION}"
    (policy,) = (p for p in of_type(RESOURCES, "AWS::S3::BucketPolicy") if p.properties["Bucket"] == shell)
    allowed = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [(s["Action"], s["Principal"]) for s in allowed] == [
        ("s3:GetObject", {"Service": "cloudfront.amazonaws.com"})
    ]
    [source] = allowed[0]["Condition"]["StringEquals"].values()
    assert source.endswith(f":distribution/{one('AWS::CloudFront::Distribution').logical_id}")
    assert all(
        origin.get("OriginAccessControlId") or "CustomOriginConfig" in origin
        for origin in distribution()["Origins"]
    )
    access = one("AWS::CloudFront::OriginAccessControl").properties["OriginAccessControlConfig"]
    assert (access["SigningBehavior"], access["Name"]) == ("always", f"penstock-site-{REGION}")


def test_what_the_api_answers_is_kept_by_nobody_between() -> None:
    [api] = distribution()["CacheBehaviors"]
    assert api["PathPattern"] == "/api/*"
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "CloudFront's own for no caching"
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac", "all but the host"
    [gateway] = [each for each in distribution()["Origins"] if each["Id"] == api["TargetOriginId"]]
    custom = gateway["CustomOriginConfig"]
    assert (custom["OriginProtocolPolicy"], custom["OriginSSLProtocols"]) == ("https-only", ["TLSv1.2"])


def test_every_answer_says_what_a_browser_may_do_with_it() -> None:
    config = one("AWS::CloudFront::ResponseHeadersPolicy").properties["ResponseHeadersPolicyConfig"]
    headers = config["SecurityHeadersConfig"]
    policy = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    sign_in = f"https://penstock-{ACCOUNT_ID}.auth.{REGION}.amazoncognito.com"
    assert "unsafe" not in policy
    assert "*" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert f"connect-src 'self' {sign_in};" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    behaviors = [distribution()["DefaultCacheBehavior"], *distribution()["CacheBehaviors"]]
    assert {each["ViewerProtocolPolicy"] for each in behaviors} == {"redirect-to-https"}
    assert len({each["ResponseHeadersPolicyId"] for each in behaviors}) == 1
    assert distribution()["Logging"]["IncludeCookies"] is False


def test_people_come_back_to_the_site_alone_with_a_code_and_no_secret() -> None:
    client = one("AWS::Cognito::UserPoolClient").properties
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["CallbackURLs"] == client["LogoutURLs"]
    [address] = client["CallbackURLs"]
    assert address == f"https://{one('AWS::CloudFront::Distribution').logical_id}.DomainName/"
    assert one("AWS::Cognito::UserPoolDomain").properties["ManagedLoginVersion"] == 2
    groups = {each.properties["GroupName"] for each in of_type(RESOURCES, "AWS::Cognito::UserPoolGroup")}
    assert groups == {OPERATORS, VIEWERS}


def test_the_functions_find_their_settings_in_what_the_template_sets() -> None:
    def settings(name: str) -> Settings:
        found = one("AWS::Lambda::Function", name).properties["Environment"]["Variables"]
        return Settings.from_environ(found)

    extract, site = settings(DEPLOYMENT.extract_function), settings(DEPLOYMENT.site_function)
    assert extract.data_bucket == site.data_bucket == f"penstock-site-data-{ACCOUNT_ID}-{REGION}"
    assert (site.reporting_bucket, site.database) == ("", "")
    shown = {source for each in DASHBOARDS.values() for source in each.sources}
    assert set(extract.reports.split()) == shown
    [rule] = [
        r for r in of_type(RESOURCES, "AWS::Events::Rule") if r.name == "penstock-site-report-published"
    ]
    assert set(rule.properties["EventPattern"]["detail"]["tableName"]) == shown


@pytest.mark.parametrize("artefact", [EXTRACT, SITE])
def test_the_functions_carry_the_compiled_charts_of_the_dashboards(artefact: Any) -> None:
    charts = source_files(artefact, SHOP.folders)[f"project/{CHARTS}"]
    assert charts == (PACKAGED / CHARTS).read_bytes()
    assert len(json.loads(charts)) >= 10


def test_a_deployment_without_a_site_carries_watches_and_pays_nothing_for_it() -> None:
    without = replace(DEPLOYMENT, site=False)
    assert {"extract", "site"} <= set(artefacts_of(SHOP))
    assert {"extract", "site"}.isdisjoint(artefacts_of(replace(SHOP, deployments={"production": without})))
    assert not [rule for rule in alarm_rules(without, [WEB]) if rule.kind.startswith("site-")]

    def lines(deployment: Any) -> dict[str, float]:
        return {line.service: line.dollars for line in monthly(Load(100), SHOP, deployment, prices())}

    assert "Report site" not in lines(without)
    assert 0 < lines(DEPLOYMENT)["Report site"] < 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("site = true", "Set `jobs = true`"),
        ('jobs = true\nsite = true\nsite_domain = "reports.example.com"', "set both, or neither"),
    ],
)
def test_settings_that_make_no_site_are_refused(tmp_path: Any, settings: str, words: str) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text(f'[project]\nname = "p1"\n\n[deployments.production]\n{settings}\n')
    with pytest.raises(ProjectError, match=words):
        load(file)
