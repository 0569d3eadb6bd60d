"""The servers of the gate's rows: ours with the gate, tcpserver with nothing between, a bare proxy, Postfix.

Never measures.
"""

import os
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import postfix
from contenders import MANY, Server, djb_words, ours, proxy
from findings import Figures, ratio
from restrictions import Restrictions
from workshop import OWN_DOMAIN, Workshop, needed

#: Whoever is there may relay; no client of the bench is.
_ELSEWHERE = "192.0.2.0/24"
_ONE_LIST = (
    "compatibility_level=3.6",
    f"mydestination={OWN_DOMAIN}",
    "smtpd_recipient_restrictions=reject_unauth_destination",
    "smtpd_client_connection_count_limit=0",
)
#: Who answers no query: clients have no name.
_NOBODY = "127.0.0.1@9"


@contextmanager
def standing(
    workshop: Workshop,
    names: Collection[str],
    *,
    limit: int = 200,
    backend: tuple[str, ...] = (),
    lists: Restrictions | None = None,
) -> Iterator[dict[str, Server]]:
    """Those that are named, by name.

    limit: -c. backend: arguments of the backend behind tcpserver; ours never starts one that has to refuse.
    lists: of Postfix and of ours; None = the last check alone.
    """
    environment = {"DNSCACHEIP": lists.name_server} if lists else {}
    chains = {"ours": gate_words(workshop, lists), "tcpserver": [workshop.smtp_backend, *backend]}
    programs = {"ours": [ours("pytcpserver"), "--held", MANY], "tcpserver": [needed("tcpserver")]}
    with ExitStack() as stack:
        servers = {}
        for name in names:
            if name == "postfix":
                servers[name] = stack.enter_context(postfix.standing(workshop, lists))
            elif name == "proxy":
                servers[name] = stack.enter_context(proxy(workshop))
            else:
                command = djb_words(programs[name], workshop, limit, chains[name])
                servers[name] = stack.enter_context(Server(command, environment, tells_port=True))
        yield servers


def proxied(rates: Figures) -> str:
    """Say what a bare proxy reaches of tcpserver: no gate in Python reaches more."""
    return f"a bare proxy in Python reaches {ratio(rates['proxy'], rates['tcpserver']):.2f} of tcpserver"


@contextmanager
def checking(workshop: Workshop, rules: Sequence[str]) -> Iterator[Server]:
    """Ours with one worker, and with these rules for every line of a message."""
    words = gate_words(workshop)
    table = Path(tempfile.mkdtemp(prefix="checks-", dir=workshop.folder)) / "body"
    table.write_text("".join(f"{rule}\n" for rule in rules))
    asked = ("-o", f"body_checks=pcre:{table}", "-o", "body_checks_size_limit=0")
    program = [ours("pytcpserver"), "-w", "1", "--held", MANY]
    with Server(djb_words(program, workshop, 200, [*words[:-1], *asked, words[-1]]), {}, tells_port=True) as server:
        yield server


@contextmanager
def checking_passwords(workshop: Workshop) -> Iterator[tuple[Server, Path]]:
    """Ours with logins whose checker hangs, and the checker's folder.

    It leaves a file in ``running`` each time, and hangs on ``hold`` until nobody has that open, or there is ``over``.
    """
    folder = Path(tempfile.mkdtemp(prefix="checker-", dir=workshop.folder))
    (folder / "running").mkdir()
    os.mkfifo(folder / "hold")
    checker = folder / "checkpassword"
    checker.write_text(f"""\
#!/bin/sh
case $(tr '\\000' ' ' <&3) in
    user*) touch {folder}/running/$$; test -e {folder}/over || read -r _ <{folder}/hold; exit 111 ;;
esac
exit 1
""")
    checker.chmod(0o755)
    *words, backend = gate_words(workshop)
    asked = (
        "smtpd_sasl_auth_enable=yes",
        "smtpd_tls_auth_only=no",
        "smtpd_sasl_type=checkpassword",
        f"smtpd_sasl_path={checker} /bin/true",
    )
    options = [word for parameter in asked for word in ("-o", parameter)]
    program = [ours("pytcpserver"), "-w", "1", "--held", MANY]
    with Server(djb_words(program, workshop, 200, [*words, *options, backend]), {}, tells_port=True) as server:
        yield server, folder


@contextmanager
def milting(workshop: Workshop, kind: str) -> Iterator[Server]:
    """Ours with a milter, and with a list, so that each client's name is found out as smtpd does.

    kind: as the milter has it; ``none`` = there is none.
    """
    *words, backend = gate_words(workshop)
    for parameter in _ONE_LIST:
        words += ["-o", parameter]
    with ExitStack() as stack:
        if kind != "none":
            path = stack.enter_context(_milter(workshop, kind))
            words += ["-o", f"smtpd_milters=unix:{path}"]
        program = [ours("pytcpserver"), "--held", MANY]
        command = djb_words(program, workshop, 200, [*words, backend])
        yield stack.enter_context(Server(command, {"DNSCACHEIP": _NOBODY}, tells_port=True))


@contextmanager
def _milter(workshop: Workshop, kind: str) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="milter-", dir=workshop.folder)) / "socket"
    with subprocess.Popen([workshop.milter, str(path), kind]) as process:
        try:
            yield path
        finally:
            process.kill()


def gate_words(workshop: Workshop, lists: Restrictions | None = None) -> list[str]:
    """Ours behind pytcpserver. lists: None = the last check alone."""
    control = Path(tempfile.mkdtemp(prefix="control-", dir=workshop.folder))
    for name in ("me", "rcpthosts"):
        (control / name).write_text(f"{OWN_DOMAIN}\n")
    words = [ours("pysmtpgate"), "-o", f"qmail_control={control}", "-o", f"mynetworks={_ELSEWHERE}"]
    if lists:
        (control / "main.cf").write_text(lists.main_cf)
        words += ["-f", str(control / "main.cf"), "-o", "smtpd_client_connection_count_limit=0"]
    return [*words, workshop.smtp_backend]
