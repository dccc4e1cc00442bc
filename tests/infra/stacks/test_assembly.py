"""The shipped assembly is what a synth makes, and the checks of templates have nothing to say."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from infra.aws.synth import PACKAGED, packaged_files, read_packaged
from infra.stacks.artefact_zips import asset_hash
from infra.stacks.artefacts import ARTEFACTS
from tests.infra.conftest import Synth
from tests.shop import SHOP

HASH = re.compile(rb"[0-9a-f]{64}|(?<=current_region-)[0-9a-f]{8}")


REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")


def _without_hashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """Keys of assets follow every change of a handler's source; everything else must be equal to the byte."""
    return {name: HASH.sub(b"HASH", content) for name, content in files.items()}


def test_a_synth_makes_the_shipped_assembly(synth: Synth) -> None:
    fresh, shipped = _without_hashes(packaged_files(synth.folder)), _without_hashes(read_packaged())
    assert fresh.keys() == shipped.keys(), "Run: python -m infra.aws.synth --write"
    for name, content in fresh.items():
        assert content == shipped[name], f"{name} is stale. Run: python -m infra.aws.synth --write"


def test_a_synth_takes_less_than_thirty_seconds_and_no_node_of_the_machine(synth: Synth) -> None:
    assert synth.cpu_seconds < 30


def test_template_checks_and_cdk_nag_find_nothing_unexplained(synth: Synth) -> None:
    assert "Acknowledge with" not in synth.said
    assert "ERROR" not in synth.said


def test_cfn_lint_finds_no_error_and_no_warning_in_three_regions() -> None:
    templates = map(str, sorted(PACKAGED.glob("*.template.json")))
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", *REGIONS, "--", *templates],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_every_rule_of_checkov_that_is_left_out_says_why() -> None:
    text = (Path(__file__).parents[3] / ".checkov.yaml").read_text(encoding="utf-8")
    left_out = re.findall(r"^  - (CKV\w+) *#? *(.*)$", text, re.MULTILINE)
    assert left_out
    assert [rule for rule, why in left_out if len(why.split()) < 5] == []


def test_the_shipped_assembly_names_no_place_of_a_machine_and_holds_no_assets() -> None:
    assert {path.suffix for path in PACKAGED.iterdir()} == {".json"}
    for path in PACKAGED.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(work|tmp|home|root|Users|usr)/", text), path.name


def test_code_is_named_by_the_hash_of_what_is_in_it(synth: Synth) -> None:
    template = json.loads((synth.folder / "penstock-stream.template.json").read_bytes())
    keys = [
        each["Properties"]["Code"]["S3Key"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
    ]
    assert keys == [f"{sha256(synth.transform_hash.encode()).hexdigest()}.zip"]


def test_the_hash_changes_with_any_source_of_the_function(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    for package in ("penstock", "producers", "transforms", "queries", "dashboards", "infra"):
        shutil.copytree(root / package, tmp_path / package)
    before = {name: asset_hash(artefact, SHOP.folders, tmp_path) for name, artefact in ARTEFACTS.items()}
    assert before == {name: asset_hash(artefact, SHOP.folders) for name, artefact in ARTEFACTS.items()}
    folders = replace(SHOP.folders, reports=tmp_path / "queries" / "sql")
    with (folders.reports / "orders_by_hour.sql").open("a") as file:
        file.write("-- one more line\n")
    after = {name: asset_hash(artefact, folders, tmp_path) for name, artefact in ARTEFACTS.items()}
    assert after["transform"] == before["transform"]
    assert after["query"] != before["query"]


@pytest.mark.parametrize("name", sorted(path.name for path in PACKAGED.glob("*.template.json")))
def test_no_template_is_larger_than_cloudformation_takes(name: str) -> None:
    assert (PACKAGED / name).stat().st_size < 1_000_000
