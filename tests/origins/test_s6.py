"""Rules of s6-tcpserver-access beside libs6, with which it reads them."""

import random
from pathlib import Path

from tests.support.origins import Client, asked_s6, held_against, words
from ucspi_py.core.importers.folder_entry import FolderEntry
from ucspi_py.core.importers.s6 import import_s6

_IPS = words("10.0.0.5 10.1.0.5 11.0.0.1 ::1 2001:db8::5 2001:db8:0:1:2:3:4:5")
_CLIENTS = [Client(ip, host) for ip in _IPS for host in (None, "example.org", "x.example.org", "badexample.org", "loc")]
_RULES = words("""
ip4/0.0.0.0_0 ip4/10.0.0.0_8 ip4/10.0.0.5_32 ip4/10.0.0.5_8 ip4/10.0.0.5 ip4/10.1.0.0_17 ip4/010.0.0.0_8 ip4/10.0.0.0_33
ip4/::_0 ip6/::_0 ip6/2001:db8::_32 ip6/2001:DB8::_32 ip6/2001:db8:0:1::_64 ip6/2001:db8:0::_48 ip6/2001:db8::5_128
ip6/2001:db8::5_127 ip6/10.0.0.0_8 ip6/::ffff:10.0.0.0_104 reversedns/@ reversedns/example.org reversedns/org
reversedns/Example.org reversedns/.example.org reversedns/x.example.org reversedns/loc reversedns/example.org. uid/0""")
_CONTENTS = words("allow|deny|allow deny|allow exec|allow env/X|other|allow env|deny exec|env/X|allow emptyexec", "|")


def _files(draw: random.Random) -> dict[str, str]:
    files = {}
    for rule in draw.sample(_RULES, draw.randint(1, 5)):
        for one in draw.choice(_CONTENTS).split():
            files[f"{rule}/{one.removeprefix('empty')}"] = "x" if one in ("exec", "env", "env/X") else ""
    return files


def test_nobody_gets_in_whom_s6_keeps_out(tmp_path: Path) -> None:
    """Of random rules, clients get what s6 gives them, or are denied and it is named why."""
    draw = random.Random(1)
    trees = [_files(draw) for _ in range(80)]

    for tree, allowed in zip(trees, asked_s6(tmp_path, trees, _CLIENTS), strict=True):
        found = import_s6([FolderEntry(path, 0o644, content.encode()) for path, content in tree.items()])
        held_against(found, _CLIENTS, allowed, tree)
