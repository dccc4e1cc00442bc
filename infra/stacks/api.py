"""The HTTP API of jobs and reports: routes for people who sign in, and the same for principals of IAM."""

from collections.abc import Mapping

from aws_cdk import Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.deployment import REGION, Deployment
from infra.functions import PipelineFunction, kept_logs
from infra.stacks.findings import accept
from infra.stacks.site import Drawing, Edge
from queries.api.callers import OPERATORS, VIEWERS
from queries.api.routes import PEOPLE, PROGRAMS, ROUTES, SITE_ROUTES, Route

REQUESTS_A_SECOND, BURST = 50, 100
_LOG_FIELDS = ("requestId", "routeKey", "status", "responseLength", "integrationErrorMessage")


class JobsApi(Construct):
    """The API, its user pool, and the outputs that name them. Jobs and reports have a function each, and so
    has the site, which then stands in front of the API.
    """

    def __init__(
        self,
        scope: Stack,
        answers: PipelineFunction,
        reader: PipelineFunction,
        deployment: Deployment,
        drawing: Drawing | None = None,
    ) -> None:
        super().__init__(scope, "Api")
        self._deployment = deployment
        self.pool = self._pool()
        self.api = http.HttpApi(
            self,
            "Http",
            api_name=deployment.api_function,
            description="Jobs and reports: /api is for people of the user pool, /iam for principals of IAM.",
            create_default_stage=False,
        )
        self.edge = Edge(self, self.api, deployment) if drawing else None
        self.client = self._client()
        if self.edge:
            self.edge.sign_in_pages(self.pool, self.client)
        self._routes({"jobs": answers, "reader": reader, **({"site": drawing.answers} if drawing else {})})
        self._stage()
        self.outputs: Mapping[str, str] = {
            "ApiUrl": self.api.api_endpoint,
            "ApiFunction": answers.function.function_name,
            "ReaderFunction": reader.function.function_name,
            "UserPoolId": self.pool.user_pool_id,
            "UserPoolClientId": self.client.user_pool_client_id,
            **(self.edge.outputs if self.edge else {}),
        }

    def _pool(self) -> cognito.UserPool:
        """People are invited; nobody signs up alone."""
        pool = cognito.UserPool(
            self,
            "People",
            user_pool_name=self._deployment.user_pool,
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
                temp_password_validity=Duration.days(3),
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        accept(
            pool,
            {
                "AwsSolutions::AwsSolutions-COG2": "Whether a second factor is a must is the owner's choice.",
                "AwsSolutions::AwsSolutions-COG3": "Paid for by user: the owner's choice.",
                "AwsSolutions::AwsSolutions-COG8": "The plan is paid for by user: the owner's choice.",
            },
        )
        for group, what in ((OPERATORS, "Start, cancel and retry jobs"), (VIEWERS, "See jobs and reports")):
            cognito.CfnUserPoolGroup(
                self,
                group.title(),
                user_pool_id=pool.user_pool_id,
                group_name=group,
                description=what,
            )
        return pool

    def _client(self) -> cognito.UserPoolClient:
        return self.pool.add_client(
            "Client",
            user_pool_client_name=self._deployment.user_pool,
            generate_secret=False,  # a page in a browser can keep none
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            disable_o_auth=self.edge is None,
            o_auth=self.edge.client_settings() if self.edge else None,
            access_token_validity=Duration.minutes(60),
            prevent_user_existence_errors=True,
        )

    def _routes(self, functions: Mapping[str, PipelineFunction]) -> None:
        authorizer = http.CfnAuthorizer(
            self,
            "SignedIn",
            api_id=self.api.http_api_id,
            authorizer_type="JWT",
            name="people",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=http.CfnAuthorizer.JWTConfigurationProperty(
                audience=[self.client.user_pool_client_id],
                issuer=Fn.join(
                    "/", [Fn.sub(f"https://cognito-idp.{REGION}.amazonaws.com"), self.pool.user_pool_id]
                ),
            ),
        )
        behind = {
            name: integrations.HttpLambdaIntegration(name.title(), each.function)
            for name, each in functions.items()
        }
        wanted = [(prefix, each) for each in ROUTES for prefix in (PEOPLE, PROGRAMS)]
        wanted += [(PEOPLE, each) for each in SITE_ROUTES if each.function in behind]
        for prefix, each in wanted:
            self._route(prefix, each, behind[each.function], authorizer)

    def _route(
        self, prefix: str, route: Route, behind: http.HttpRouteIntegration, people: http.CfnAuthorizer
    ) -> None:
        methods = [http.HttpMethod[route.method]]
        for made in self.api.add_routes(path=f"{prefix}{route.path}", methods=methods, integration=behind):
            resource = made.node.default_child
            assert isinstance(resource, http.CfnRoute)
            resource.authorization_type = "JWT" if prefix == PEOPLE else "AWS_IAM"
            resource.authorizer_id = people.ref if prefix == PEOPLE else None

    def _stage(self) -> None:
        deployment = self._deployment
        logs = kept_logs(self, "Log", f"/aws/apigateway/{deployment.api_function}", deployment.log_days)
        stage = http.CfnStage(
            self,
            "Stage",
            api_id=self.api.http_api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=http.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=REQUESTS_A_SECOND, throttling_burst_limit=BURST
            ),
            access_log_settings=http.CfnStage.AccessLogSettingsProperty(
                destination_arn=logs.log_group_arn,
                format="{" + ",".join(f'"{name}":"$context.{name}"' for name in _LOG_FIELDS) + "}",
            ),
        )
        stage.apply_removal_policy(RemovalPolicy.DESTROY)
