"""The script that plants faults plants them, in a copy, and says who did not notice."""

from pathlib import Path

import pytest

from tests.mutants import Tree, mutants, survivors

MUTANTS = [
    ("x = a < b", {"x = a <= b"}),
    ("x = a is not b", {"x = a is b"}),
    ("x = a and b", {"x = a or b", "x = not a and b", "x = a and (not b)"}),
    ("x = not a", {"x = a"}),
    ("if a:\n    x = 1", {"if not a:\n    x = 1", "if a:\n    x = 2"}),
    ("LIMIT: int = 256 << 20", {"LIMIT: int = 257 << 20", "LIMIT: int = 256 << 21", "LIMIT: int = 256 >> 20"}),
    ("x = True", {"x = False"}),
    ("x = f(1, b=y)", {"x = f(2, b=y)", "x = f(b=y)", "x = f(1)"}),
    ("self.x = y", {"pass"}),
    ("x += y", {"pass", "x -= y"}),
    ("f()", {"pass"}),
    ("def f() -> 1:\n    '''Word.'''\n    return x", {'def f() -> 1:\n    """Word."""\n    return None'}),
    ("x: Literal[1]", set()),
    ("return None", set()),
]

MODULE = """
def at_least(number, limit):
    if number > limit:
        return number
    return limit
"""
TESTS = """
from module import at_least

def test_at_least():
    assert at_least(1, 2) == 2
    assert at_least(3, 2) == 3
"""


@pytest.mark.parametrize(("source", "expected"), MUTANTS, ids=lambda case: repr(case)[:30])
def test_the_mutants_of_a_line(source: str, expected: set[str]) -> None:
    """One fault each: a comparison, a constant, a condition, an argument, a statement, what is returned."""
    assert {mutant.source.rstrip("\n") for mutant in mutants(source)} == expected


def test_who_survives(tmp_path: Path) -> None:
    """What no test notices is said; what runs for ever is not waited for; the tree itself is left as it was."""
    root, folder = tmp_path / "root", tmp_path / "copy"
    root.mkdir()
    folder.mkdir()
    (root / "module.py").write_text(MODULE)
    (root / "test_module.py").write_text(TESTS)

    tree = Tree(root, folder)
    found = list(survivors(tree, "module.py", ["test_module.py"], range(3, 5), 60))
    tree.plant("module.py", "while True: pass")
    assert tree.passes(["test_module.py"], 1) is None

    assert [(mutant.line, mutant.what, survived) for mutant, survived in found] == [
        (3, "number > limit  ->  number >= limit", True),
        (4, "return number  ->  return None", False),
    ]
    assert (root / "module.py").read_text() == MODULE
