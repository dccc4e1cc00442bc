"""The report site in front of the API: its page, its data, who draws it, and its sign-in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Aws, Duration, Fn
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from dashboards.site.places import DATA, ROWS
from infra.deployment import REGION, Deployment
from infra.functions import PipelineFunction, log_group_name
from infra.project.project import Project
from infra.site.function.settings import Settings
from infra.stacks.artefacts import EXTRACT, SITE
from infra.stacks.buckets import abandoned_uploads, expire, private_bucket
from infra.stacks.findings import accept
from infra.stacks.job_permissions import extract_grants, site_grants

DATA_DAYS = 30
"""How long versions of dashboards are kept; each is drawn anew every hour."""
EXTRACT_SECONDS = 120
_YEAR = Duration.days(365)


class Drawing(Construct):
    """The bucket of what the site shows, the function that draws it, and the one that answers from it."""

    def __init__(
        self, scope: Construct, project: Project, deployment: Deployment, code: Mapping[str, Path]
    ) -> None:
        super().__init__(scope, "Drawing")
        self._project, self._deployment = project, deployment
        self.data = private_bucket(
            self,
            "Data",
            name=deployment.site_data_bucket,
            versioned=False,
            lifecycle=[expire("drawn", DATA, DATA_DAYS), expire("rows", ROWS, DATA_DAYS)],
            access_logs=deployment.access_log_bucket,
        )
        self.reports = sorted(
            {source for dashboard in project.dashboards.values() for source in dashboard.sources}
        )
        self.extract = self._extract(code[EXTRACT.name])
        self.answers = self._answers(code[SITE.name])
        self._triggers()

    def _extract(self, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.extract_function
        settings = Settings(
            data_bucket=Fn.sub(deployment.site_data_bucket),
            reporting_bucket=Fn.sub(deployment.reporting_bucket),
            database=deployment.database,
            reports=" ".join(self.reports),
        )
        return PipelineFunction(
            self,
            "Extract",
            name=name,
            role_name=deployment.role("site-extract"),
            artefact=EXTRACT,
            folders=self._project.folders,
            code=code,
            environment=settings.to_environ(),
            grants=extract_grants(deployment, self.reports, log_group_name(name)),
            memory=deployment.site_memory,
            timeout_seconds=EXTRACT_SECONDS,
            log_days=deployment.log_days,
        )

    def _answers(self, code: Path) -> PipelineFunction:
        deployment, name = self._deployment, self._deployment.site_function
        settings = Settings(
            data_bucket=Fn.sub(deployment.site_data_bucket), lake_bucket=Fn.sub(deployment.lake_bucket)
        )
        return PipelineFunction(
            self,
            "Answers",
            name=name,
            role_name=deployment.role("site"),
            artefact=SITE,
            folders=self._project.folders,
            code=code,
            environment=settings.to_environ(),
            grants=site_grants(deployment, log_group_name(name)),
            memory=deployment.site_memory,
            timeout_seconds=29,  # the gateway waits no longer
            log_days=deployment.log_days,
        )

    def _triggers(self) -> None:
        deployment = self._deployment
        target = targets.LambdaFunction(
            self.extract.function, retry_attempts=2, max_event_age=Duration.minutes(5)
        )
        events.Rule(
            self,
            "Published",
            rule_name=f"{deployment.prefix}-site-report-published",
            description="A report that a dashboard of the site shows was published.",
            event_pattern=events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Data Catalog Table State Change"],
                detail={
                    "databaseName": [deployment.database],
                    "tableName": self.reports,
                    "typeOfChange": ["BatchCreatePartition", "BatchUpdatePartition"],
                },
            ),
            targets=[target],
        )
        events.Rule(
            self,
            "Tick",
            rule_name=f"{deployment.prefix}-site-tick",
            description="Draws what no event announced, and every dashboard anew with each hour.",
            schedule=events.Schedule.rate(Duration.minutes(5)),
            targets=[target],
        )


class Edge(Construct):
    """The distribution: the page from its bucket, and `/api/*` from the API, on one name."""

    def __init__(self, scope: Construct, api: http.HttpApi, deployment: Deployment) -> None:
        super().__init__(scope, "Edge")
        self._deployment = deployment
        self.shell = private_bucket(
            self,
            "Shell",
            name=deployment.site_bucket,
            versioned=False,
            lifecycle=[],
            access_logs=deployment.access_log_bucket,
        )
        self.distribution = self._distribution(api)
        name = deployment.site_domain or self.distribution.distribution_domain_name
        self.address = f"https://{name}/"
        self.sign_in = Fn.sub(f"https://{deployment.sign_in}.auth.{REGION}.amazoncognito.com")

    def _distribution(self, api: http.HttpApi) -> cloudfront.Distribution:
        deployment, headers = self._deployment, self._headers()
        secured: dict[str, Any] = {
            "viewer_protocol_policy": cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            "response_headers_policy": headers,
        }
        gateway = origins.HttpOrigin(
            f"{api.http_api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}",
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
        )
        named: dict[str, Any] = {}
        if deployment.site_domain:
            named = {
                "domain_names": [deployment.site_domain],
                "certificate": acm.Certificate.from_certificate_arn(
                    self, "Certificate", deployment.site_certificate
                ),
            }
        made = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{deployment.prefix}: the report site",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    self.shell, origin_access_control=self._access()
                ),
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                **secured,
            ),
            additional_behaviors={
                "/api/*": cloudfront.BehaviorOptions(
                    origin=gateway,
                    allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                    # What is private is kept by the browser that asked for it, and by nobody between.
                    cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                    origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                    **secured,
                )
            },
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            enable_logging=True,
            log_bucket=self._logs(),
            log_includes_cookies=False,
            **named,
        )
        accept(
            made,
            {
                "AwsSolutions::AwsSolutions-CFR1": "Where viewers are is the owner's choice.",
                "AwsSolutions::AwsSolutions-CFR2": "Every answer but the page's own files needs a token.",
                "AwsSolutions::AwsSolutions-CFR4": "CloudFront's own name has a policy of its own; a name of "
                "one's own is served with TLS 1.2 at least.",
            },
        )
        return made

    def _access(self) -> cloudfront.S3OriginAccessControl:
        """The right to read the page's bucket; its name is one of the account's, in whatever region."""
        return cloudfront.S3OriginAccessControl(
            self, "Access", origin_access_control_name=f"{self._deployment.prefix}-site-{Aws.REGION}"
        )

    def _logs(self) -> s3.Bucket:
        """CloudFront writes by an access control list: a bucket for nothing else may have one."""
        made = s3.Bucket(
            self,
            "Logs",
            bucket_name=Fn.sub(self._deployment.site_log_bucket),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[abandoned_uploads(), expire("logs", "", self._deployment.access_log_days)],
        )
        accept(made, {"AwsSolutions::AwsSolutions-S1": "It holds logs of its own and nothing else."})
        return made

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        sign_in = Fn.sub(f"https://{self._deployment.sign_in}.auth.{REGION}.amazoncognito.com")
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=f"{self._deployment.prefix}-site-{Aws.REGION}",
            comment="What a browser may do with the report site",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content_security_policy([sign_in]), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_YEAR, include_subdomains=True, override=True
                ),
            ),
        )

    def client_settings(self) -> cognito.OAuthSettings:
        """How the page signs people in: with a code and a proof, and back to itself alone."""
        return cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL, cognito.OAuthScope.PROFILE],
            callback_urls=[self.address],
            logout_urls=[self.address],
        )

    def sign_in_pages(self, pool: cognito.UserPool, client: cognito.UserPoolClient) -> None:
        """Cognito's own pages, in a domain of Cognito's, in its own style."""
        domain = cognito.CfnUserPoolDomain(
            self,
            "SignIn",
            user_pool_id=pool.user_pool_id,
            domain=Fn.sub(self._deployment.sign_in),
            managed_login_version=2,
        )
        style = cognito.CfnManagedLoginBranding(
            self,
            "SignInStyle",
            user_pool_id=pool.user_pool_id,
            client_id=client.user_pool_client_id,
            use_cognito_provided_values=True,
        )
        style.add_resource_dependency(domain)

    @property
    def outputs(self) -> Mapping[str, str]:
        """What names its parts."""
        return {
            "SiteUrl": self.address,
            "SiteSignIn": self.sign_in,
            "SiteDistributionId": self.distribution.distribution_id,
            "SiteBucket": self.shell.bucket_name,
        }


def content_security_policy(also: Sequence[str]) -> str:
    """What the page may load and ask: its own files and its own API, and these hosts for sign-in."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *also]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
