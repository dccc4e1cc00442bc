"""`penstock site`: the report site of a deployment."""

import json
import secrets
import webbrowser
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from infra.site.shell_bucket import POLL_SECONDS, page_config, put_shell
from producers.contracts import echo

if TYPE_CHECKING:
    from infra.command.target import Target

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The report site: publish, open.")
Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]


class NoSiteError(RuntimeError):
    """The deployment has no site, or its functions could not draw it; the text says what to do."""


@app.command()
def publish(context: typer.Context, as_json: Json = False) -> None:
    """Put the page into its bucket, and draw every dashboard that changed.

    A publish of a report draws its dashboards by itself; the page comes with each version of Penstock.
    """
    target: Target = context.obj
    address = site_of(target)
    login = address.rstrip("/") if target.kind == "local" else target.site_sign_in
    config = page_config(login, target.user_pool_client_id, address, _poll_seconds(target))
    files = put_shell(target.client("s3"), target.site_bucket, config)
    if files and target.kind == "aws":
        _forget(target.client("cloudfront"), target.site_distribution_id, files)
    drawn = _drawn(target.client("lambda"), target.extract_function)
    if as_json or target.json:
        echo(json.dumps({"site": address, "files": files, "dashboards": drawn}))
        return
    versions = ", ".join(f"{name} {version}" for name, version in drawn.items())
    echo(f"{address} has {len(files)} files of the page that it did not have.")
    echo(f"Drawn: {versions or 'nothing, every dashboard is the newest'}.")


@app.command("open")
def open_site(
    context: typer.Context,
    *,
    show: Annotated[bool, typer.Option("--print", help="Print its address, and open nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Open the site in a browser."""
    target: Target = context.obj
    address = site_of(target)
    echo(json.dumps({"site": address}) if as_json or target.json else address)
    if not show:
        webbrowser.open(address)


def _poll_seconds(target: "Target") -> float:
    """Between two polls of a page; on a laptop they cost nothing, and the local cloud begins with that."""
    if target.kind == "aws":
        return POLL_SECONDS
    from infra.local.edge import opening

    return opening.POLL_SECONDS


def site_of(target: "Target") -> str:
    """Where the site of a deployment is. Raises NoSiteError."""
    address = str(target.site_url)
    if not address:
        raise NoSiteError(
            "This deployment has no report site. Set `jobs = true` and `site = true` in penstock.toml, and "
            "deploy it."
        )
    return str(target.cloud.site_url) if target.kind == "local" else address


def _drawn(functions: Any, name: str) -> dict[str, str]:
    """What the function drew. Raises NoSiteError."""
    answer = functions.invoke(FunctionName=name, Payload=b"{}")
    body = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        why = body.get("errorMessage", "no reason is given")
        raise NoSiteError(f"The dashboards could not be drawn: {why}. The log of {name} has more.")
    return cast("dict[str, str]", body)


def _forget(cloudfront: Any, distribution: str, files: list[str]) -> None:
    """Have what is asked for by one name for good fetched anew."""
    paths = [f"/{key}" for key in files if not key.startswith("static/")] + ["/"]
    cloudfront.create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={
            "Paths": {"Quantity": len(paths), "Items": paths},
            "CallerReference": secrets.token_hex(8),
        },
    )
