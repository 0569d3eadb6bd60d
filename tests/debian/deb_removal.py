"""The package leaves as it has come."""

from pathlib import Path

from tests.debian.host import Host, booted
from tests.debian.qmail import compile_rules, lay_qmail
from tests.debian.root import Root

#: What changes by itself, or by apt and dpkg, whatever is installed.
_RESTLESS = ("/proc", "/sys", "/dev", "/run", "/tmp", "/srv", "/var/cache", "/var/log", "/var/lib/apt", "/var/lib/dpkg")
_ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")


def held(host: Host) -> set[str]:
    """All paths of a host that stay as they are unless somebody changes them."""
    prunes = [word for folder in _RESTLESS for word in ("-path", folder, "-prune", "-o")]
    return set(host.run("find", "/", *prunes, "-print").splitlines())


def accounts(host: Host) -> dict[str, list[str]]:
    """Its users and groups."""
    return {name: sorted((host.root.path / "etc" / name).read_text().splitlines()) for name in _ACCOUNTS}


def test_a_purge_leaves_nothing(place: Path, package: Path) -> None:
    """A removal stops the services and keeps their records; a purge takes records and user, too."""
    with booted(Root(place / "leaving")) as host:
        lay_qmail(host)
        before, who = held(host), accounts(host)
        host.install(package)
        compile_rules(host)
        host.run("systemctl", "enable", "--now", "smtpd.socket", "smtpd", "pypostgrey")

        host.run("apt-get", "remove", "--yes", "ucspi-py")

        assert host.main_pid("smtpd") == host.main_pid("pypostgrey") == 0
        assert {path for path in held(host) - before if path.startswith(("/usr", "/lib"))} == set()
        assert "/var/lib/ucspi-py/pypostgrey.db" in held(host)
        host.run("apt-get", "purge", "--yes", "ucspi-py")
        host.run("rm", "/etc/tcp.smtp.cdb")
        assert held(host) ^ before == set()
        assert accounts(host) == who
