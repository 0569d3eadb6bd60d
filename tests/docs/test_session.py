"""README's explanation of a client is what pyrules says of it."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.gate import controls
from tests.support.nameserver import Records, lists, serving
from tests.support.pages import literals, page
from tests.support.programs import ours
from tests.support.rules_tools import compile_rules

SERVICE = "/service/smtpd"
DNS: Records = {
    "8.2.0.192.in-addr.arpa PTR": ["mail.example.net."],
    "mail.example.net A": ["192.0.2.8"],
    "example.net MX": ["10 mail.example.net."],
    **lists("zen.spamhaus.org", "192.0.2.8", text="https://check.spamhaus.org/query/ip/192.0.2.8"),
}


def test_the_explanation_of_readme(tmp_path: Path) -> None:
    """Of examples/postfix/restrictions; what is cut off ends in dots."""
    block = next(text for text in literals(page(ROOT / "README.rst")) if "explain --session" in text)
    command, *expected = block.replace("\\\n", "").splitlines()
    said = _explain(tmp_path, shlex.split(command)[2:])

    assert len(said) == len(expected)
    for line, shown in zip(said, expected, strict=True):
        assert line.startswith(shown.removesuffix("...")) if shown.endswith("...") else line == shown


def _explain(folder: Path, words: list[str]) -> list[str]:
    """What pyrules says of the example as it would stand in /service."""
    rules, control = folder / "tcp.smtp.cdb", controls(folder / "control")
    compile_rules((ROOT / "examples/tcp.smtp").read_bytes(), rules)
    service = shutil.copytree(ROOT / "examples/postfix/restrictions", folder / "smtpd")
    run = (service / "run").read_text().replace("/etc/tcp.smtp.cdb", str(rules))
    (service / "run").write_text(run.replace("-f main.cf", f"-f main.cf -o qmail_control={control}"))
    with serving(DNS, folder) as dns:
        done = subprocess.run(
            [ours("pyrules"), *(word.replace(SERVICE, str(service)) for word in words)],
            env={**os.environ, "DNSCACHEIP": dns.address},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.replace(str(rules), "/etc/tcp.smtp.cdb").replace(str(service), SERVICE).splitlines()
