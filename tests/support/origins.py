"""What the programs say of clients whose access lists are imported, many questions to one process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ucspi_py.core.importers.imported import Imported
from ucspi_py.core.rules.data import DEFAULT, Instructions, instructions
from ucspi_py.core.rules.match import match

from .programs import theirs
from .rules_tools import table


class Client(NamedTuple):
    """An address in its canonical form, and a name in small letters or none."""

    ip: str
    host: str | None = None


def words(text: str, separator: str = " ") -> list[str]:
    """The words of a text, of which a new line begins another one."""
    return text.strip("\n").replace("\n", separator).split(separator)


def held_against(found: Imported, clients: Sequence[Client], allowed: Iterable[bool], about: object) -> None:
    """Fail where rules let in whom the origin keeps out, or keep out whom it lets in and nothing is named."""
    get = table(*found.lines)
    for client, is_allowed in zip(clients, allowed, strict=True):
        denied = said(get, client).deny
        assert denied or is_allowed, f"let in: {client} {about} {found}"
        assert not denied or not is_allowed or found.unsaid, f"kept out without a word: {client} {about} {found}"


def said(get: Any, client: Client) -> Instructions:
    """What rules say of a client."""
    decided = match(get, client.ip.encode(), client.host.encode() if client.host else None)
    return instructions(decided.value) if decided else DEFAULT


def asked(script: str, *words: str, questions: object) -> Any:
    """What a script answers that loads the origin's own library: both in JSON, over its standard streams."""
    done = subprocess.run(
        [sys.executable, "-c", script, *words], input=json.dumps(questions).encode(), capture_output=True, check=False
    )
    if done.returncode:
        pytest.fail(done.stderr.decode())
    return json.loads(done.stdout)


_LIBWRAP = """
import ctypes, json, sys
wrap = ctypes.CDLL("libwrap.so.0")
wrap.hosts_ctl.argtypes = [ctypes.c_char_p] * 4
ctypes.c_int.in_dll(wrap, "dry_run").value = 1  # as in tcpdmatch: options are read and not obeyed
tables = [ctypes.create_string_buffer(f"{sys.argv[1]}/hosts.{name}".encode()) for name in ("allow", "deny")]
for name, table in zip(("hosts_allow_table", "hosts_deny_table"), tables):
    ctypes.c_void_p.in_dll(wrap, name).value = ctypes.addressof(table)
def ask(allow, deny, clients):
    for name, text in zip(("allow", "deny"), (allow, deny)):
        with open(f"{sys.argv[1]}/hosts.{name}", "w") as file:
            file.write(text)
    ask_one = lambda ip, host: wrap.hosts_ctl(b"smtpd", (host or "unknown").encode(), ip.encode(), b"unknown")
    return [bool(ask_one(*client)) for client in clients]
json.dump([ask(*question) for question in json.load(sys.stdin)], sys.stdout)
"""


def asked_libwrap(directory: str, questions: Sequence[tuple[str, str, Sequence[Client]]]) -> list[list[bool]]:
    """Whom libwrap lets in to smtpd, for each pair of hosts.allow and hosts.deny."""
    theirs("tcpdmatch")
    answers: list[list[bool]] = asked(_LIBWRAP, directory, questions=questions)
    return answers


_MATCH_LIST = """
import ctypes, json, sys
util = ctypes.CDLL("/usr/lib/postfix/libpostfix-util.so")
util.match_list_init.restype = ctypes.c_void_p
RETURN_AND_PARENT = 3
def ask(patterns, clients):
    some = (util.match_hostname, util.match_hostaddr)
    found = ctypes.c_void_p(util.match_list_init(b"mynetworks", RETURN_AND_PARENT, patterns.encode(), 2, *some))
    return [bool(util.match_list_match(found, (host or "unknown").encode(), ip.encode())) for ip, host in clients]
json.dump([ask(*question) for question in json.load(sys.stdin)], sys.stdout)
"""


def asked_mynetworks(questions: Sequence[tuple[str, Sequence[Client]]]) -> list[list[bool]]:
    """Who is in mynetworks to Postfix, for each value of it, with which it has to start."""
    theirs("postmap")
    answers: list[list[bool]] = asked(_MATCH_LIST, questions=questions)
    return answers


def asked_postmap(table: Path, kind: str, keys: Sequence[str]) -> dict[str, str]:
    """What a table of Postfix has under each of these keys. kind: ``cidr`` or ``hash``."""
    main_cf = table.parent / "main.cf"
    main_cf.touch()
    os.utime(main_cf, (1, 1))  # Postfix waits until it is two seconds old
    postmap = [theirs("postmap"), "-c", str(table.parent)]
    if kind == "hash":
        subprocess.run([*postmap, f"{kind}:{table}"], capture_output=True, check=True)
    command = [*postmap, "-q", "-", f"{kind}:{table}"]
    done = subprocess.run(command, input="\n".join(keys).encode() + b"\n", capture_output=True, check=False)
    return dict(line.split("\t", 1) for line in done.stdout.decode().splitlines())


_S6 = """
import ctypes, ctypes.util, ipaddress, json, sys
s6 = ctypes.CDLL(ctypes.util.find_library("s6"))
DENY, ALLOW, NOTFOUND = range(3)
def ask(folder, ip, host):
    folder, params, address = folder.encode(), ctypes.create_string_buffer(64), ipaddress.ip_address(ip)
    check = s6.s6_accessrules_keycheck_ip4 if address.version == 4 else s6.s6_accessrules_keycheck_ip6
    found = check(address.packed, folder, params, s6.s6_accessrules_backend_fs)
    if found == NOTFOUND and host:
        found = s6.s6_accessrules_keycheck_reversedns(host.encode(), folder, params, s6.s6_accessrules_backend_fs)
    program = ctypes.cast(params, ctypes.POINTER(ctypes.c_size_t))[4]
    return found == ALLOW and not program
folders, clients = json.load(sys.stdin)
json.dump([[ask(folder, *client) for client in clients] for folder in folders], sys.stdout)
"""


def asked_s6(folder: Path, trees: Sequence[Mapping[str, str]], clients: Sequence[Client]) -> list[list[bool]]:
    """Whom s6-tcpserver-access lets in to the program that it was started for, for each tree of rules."""
    theirs("s6-accessrules-cdb-from-fs")
    for number, tree in enumerate(trees):
        for path, content in tree.items():
            file = folder / str(number) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    folders = [str(folder / str(number)) for number in range(len(trees))]
    answers: list[list[bool]] = asked(_S6, questions=(folders, clients))
    return answers
