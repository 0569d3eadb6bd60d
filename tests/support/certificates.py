"""Certificates for tests, of an authority of their own, in files as an operator has them."""

import datetime
from pathlib import Path

import trustme

from ucspi_py.core.tls.settings import Pair

_LONG_AGO = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """Signs certificates. ca_file: what a client that trusts it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.ca_file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)

    def pair(
        self,
        *names: str,
        kind: str = "ECDSA",
        file: str | None = None,
        not_after: datetime.datetime | None = None,
        common_name: str | None = None,
    ) -> Pair:
        """Have a certificate made for names, and write it and its key. kind: ECDSA or RSA. file: their stem."""
        issued = self._ca.issue_cert(
            *names,
            common_name=common_name,
            key_type=trustme.KeyType[kind],
            not_after=not_after,
            not_before=_LONG_AGO,
        )
        stem = file or f"{names[0].strip('*.')}-{kind}"
        certificate, key = self._folder / f"{stem}.crt", self._folder / f"{stem}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return Pair(str(certificate), str(key))
