"""Transactions that are sent twice are known by their digests."""

import subprocess
import sys

from infra.local.ministack.kept_tokens import Digest

_RUN = """
from infra.local.ministack import kept_tokens
kept_tokens.install()
from ministack.services import dynamodb
request = {"TransactItems": [{"Put": {"TableName": "t", "Item": {"k": {"S": "x" * 100_000}}}}]}
dynamodb._txn_token_store("token", {"signature": request, "response": {}, "sizes": {}})
kept = dynamodb._txn_token_lookup("token")
assert kept["signature"] == request, "the same request is not known again"
assert kept["signature"] != {"TransactItems": []}
assert "x" * 100 not in repr(kept)
"""


def test_a_digest_is_equal_to_its_request_only() -> None:
    assert Digest({"a": [1, {"b": "c"}], "d": 2}) == {"d": 2, "a": [1, {"b": "c"}]}
    assert Digest({"a": 1}) != {"a": "1"}
    assert Digest({"a": 1}) != {"a": 1, "b": None}


def test_the_emulator_keeps_no_transaction_whole() -> None:
    subprocess.run([sys.executable, "-c", _RUN], check=True, timeout=60)
