"""S3's older way to sign an address, which boto3 still takes in us-east-1 unless it is told otherwise."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from botocore.auth import HmacV1Auth
from botocore.awsrequest import HTTPHeaders
from botocore.credentials import Credentials


@dataclass(frozen=True)
class OldPresigned:
    """The parts of the query of such an address."""

    access_key_id: str
    signature: str
    expires: str
    token: str

    @classmethod
    def of(cls, query: Mapping[str, list[str]]) -> "OldPresigned | None":
        """None when the query has no such signature."""
        if not {"AWSAccessKeyId", "Signature", "Expires"} <= query.keys():
            return None
        return cls(
            query["AWSAccessKeyId"][0],
            query["Signature"][0],
            query["Expires"][0],
            query.get("x-amz-security-token", [""])[0],
        )

    @property
    def is_expired(self) -> bool:
        """Whether its time, in epoch seconds, is over."""
        return not (self.expires.isascii() and self.expires.isdigit()) or int(self.expires) < time.time()

    def is_right(
        self,
        secret: str,
        method: str,
        raw_path: str,
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
    ) -> bool:
        """Whether it was made with this secret for this request."""
        expires = self.expires

        class Signer(HmacV1Auth):
            def _get_date(self) -> str:
                return expires

        signed: Any = HTTPHeaders()
        for name, value in headers.items():
            signed[name] = value
        for name in ("content-type", "content-md5"):  # made part of the address when they are signed
            if name in query:
                del signed[name]
                signed[name] = query[name][0]
        pairs = urlencode([(name, value) for name, values in query.items() for value in values])
        signer = Signer(Credentials(self.access_key_id, secret, self.token or None))
        made = signer.get_signature(method, urlsplit(f"http://host{raw_path}?{pairs}"), signed)
        return hmac.compare_digest(made.encode(), self.signature.encode())
