"""As much of qmail as smtpd.service asks for, with our demonstration backend in the place of qmail-smtpd."""

from tests.debian.host import Host

#: The shell that a backend starts with has the soft limits of qmail-smtpd, too few for a backend in Python. The setuid
#: program is what qmail-queue is.
_BACKEND = """#!/bin/sh
/var/qmail/bin/qmail-queue -un > /var/qmail/demo/queued-by
grep NoNewPrivs /proc/self/status > /var/qmail/demo/privileges
ulimit -S -v unlimited
exec /usr/share/doc/ucspi-py/examples/demo_smtpd.py /var/qmail/control /var/qmail/demo/Maildir
"""
_CONTROL = {"me": "mx.example.org\n", "rcpthosts": "example.org\n", "concurrencyincoming": "20\n"}


def lay_qmail(host: Host) -> None:
    """Make its users and its folder on a host."""
    qmail = host.root.path / "var/qmail"
    for folder in ("control", "bin", "demo"):
        (qmail / folder).mkdir(parents=True)
    for name, text in _CONTROL.items():
        (qmail / "control" / name).write_text(text)
    (qmail / "bin/qmail-smtpd").write_text(_BACKEND)
    (qmail / "bin/qmail-smtpd").chmod(0o755)
    host.run("groupadd", "nofiles")
    host.run("useradd", "--gid=nofiles", "qmaild")
    host.run("useradd", "--gid=nofiles", "qmailq")
    host.run("chown", "qmaild", "/var/qmail/demo")
    host.run("install", "--owner=qmailq", "--mode=4711", "/usr/bin/id", "/var/qmail/bin/qmail-queue")


def compile_rules(host: Host) -> None:
    """Make the rules that the service follows."""
    host.run("sh", "-c", "echo ':allow' | pytcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp")
