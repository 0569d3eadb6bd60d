r"""The rules of tcpserver: compile their source, lint it, and look clients up. Pure: no file is read or written.

compiled: source -> the (key, value) records of the CDB. lint: source -> findings, each with line and column. match: a
client -> the record that decides. explain: the same with every key that was looked up. instructions: a record's value
-> deny or allow, and variables. dump: records -> source. changes: two tables -> the rules that differ.

A look-up is any function that gives the first value of a key, or None. Addresses are those of canonical().

>>> source = b'10.1.:deny\n10.1.2.3:allow,RELAYCLIENT=""\n:allow\n'
>>> rules: dict[bytes, bytes] = {}
>>> for key, value in compiled(source):
...     _ = rules.setdefault(key, value)
>>> match(rules.get, canonical("10.1.9.9"))
Match(key=b'10.1.', value=b'D\x00')
>>> found = explain(rules.get, b"10.1.2.3", b"mail.example.org", None)
>>> found.asked, found.said.variables
((b'10.1.2.3',), ((b'RELAYCLIENT', b''),))
>>> [finding.line for finding in lint(b"192.168.1:deny\n")]
[1]
"""

from .core.address import canonical
from .core.errors import CorruptRules, UnparsableLine
from .core.lint.finding import Finding
from .core.lint.lint import lint
from .core.rules.data import Instructions, instructions
from .core.rules.diff import Change, Table, changes
from .core.rules.dump import Line, dump
from .core.rules.explain import Explanation, explain
from .core.rules.match import Match, match
from .core.rules.source import compiled

__all__ = ["Change", "CorruptRules", "Explanation", "Finding", "Instructions", "Line", "Match", "Table"]
__all__ += ["UnparsableLine", "canonical", "changes", "compiled", "dump", "explain", "instructions", "lint", "match"]
