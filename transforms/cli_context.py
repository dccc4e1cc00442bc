"""What this stage's commands are given by the `penstock` command: names of resources, and clients."""

from typing import Any, Protocol

from transforms.settings import Settings


class Context(Protocol):
    """`ctx.obj` of typer."""

    lake_bucket: str
    transform_function: str
    json: bool

    def client(self, service: str) -> Any:
        """A boto3 client of the target."""
        ...


def deployed_settings(context: Context) -> Settings:
    """The settings of the deployed transformation, so that commands judge alike. Raises SettingsError."""
    function = context.client("lambda").get_function_configuration(FunctionName=context.transform_function)
    return Settings.from_environ(function.get("Environment", {}).get("Variables", {}))
