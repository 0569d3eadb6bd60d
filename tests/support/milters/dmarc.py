"""Debian's opendmarc, which believes another milter's Authentication-Results."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..programs import theirs
from .daemon import daemon


@contextmanager
def opendmarc(folder: Path, name: str, policies: Mapping[str, str]) -> Iterator[str]:
    """Run opendmarc, which refuses what fails, and looks at nothing of those who are logged in -> the service.

    name: of the host whose results it believes. policies: p= of domains; nobody else has any.
    """
    path, records, configuration = folder / "opendmarc", folder / "opendmarc.dns", folder / "opendmarc.conf"
    records.write_text("".join(f"_dmarc.{domain} v=DMARC1; p={word}\n" for domain, word in policies.items()))
    lines = (
        f"Socket local:{path}",
        "UMask 000",
        "Syslog false",
        f"AuthservID {name}",
        f"TrustedAuthservIDs {name}",
        "RejectFailures true",
        "IgnoreAuthenticatedClients true",
        "SPFIgnoreResults true",
        f"TestDNSData {records}",
    )
    configuration.write_text("\n".join((*lines, "")))
    with daemon((theirs("opendmarc"), "-f", "-c", str(configuration)), path, folder):
        yield f"unix:{path}"
