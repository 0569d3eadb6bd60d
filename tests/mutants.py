"""Small faults planted into one module, each met by the tests that are named: which of them does no test notice?

python -m tests.mutants ucspi_py/system/accept/slots.py tests/system/test_slots.py [--lines 40-60] [--seconds 10]

Only a copy of the tree is ever changed, programs and all, so server tests may be named too. Exit codes: 0 = every
mutant was noticed, 1 = some survived, 2 = asked wrongly, 111 = the tests fail without any mutant.
"""

import argparse
import ast
import contextlib
import importlib.util
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "demo")

#: Bytes of address space for one run: a mutant may be one that takes memory without end.
_MEMORY = 4 << 30

_PAIRS: list[tuple[type[ast.AST], type[ast.AST]]] = [
    *((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.FloorDiv), (ast.Div, ast.Mult)),
    *((ast.LShift, ast.RShift), (ast.BitAnd, ast.BitOr)),
]
_SWAPS = {second: first for first, second in _PAIRS} | dict(_PAIRS)
#: Fields in which nothing is done: a fault there is the type checker's.
_NOT_RUN = frozenset(("annotation", "returns", "decorator_list", "type_params"))


class Mutant(NamedTuple):
    """A module's source with one fault in it, and what the fault is."""

    line: int
    what: str
    source: str


class _Place(NamedTuple):
    """Where a node stands in the tree. at: its index, None where the field is no list. line: of the source."""

    parent: ast.AST
    field: str
    at: int | None
    node: ast.AST
    line: int

    def put(self, node: ast.AST) -> None:
        if self.at is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.at] = node


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines. Raises SyntaxError."""
    tree = ast.parse(source)
    for place in sorted(_places(tree, 1), key=lambda place: place.line):
        for other in _alternatives(place):
            what = _difference(place, other)
            place.put(other)
            yield Mutant(place.line, what, ast.unparse(ast.fix_missing_locations(tree)) + "\n")
            place.put(place.node)


def _places(parent: ast.AST, line: int) -> Iterator[_Place]:
    for field, value in ast.iter_fields(parent):
        if field in _NOT_RUN:
            continue
        for at, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST):
                its_line = getattr(node, "lineno", line)
                yield _Place(parent, field, at, node, its_line)
                yield from _places(node, its_line)


def _alternatives(place: _Place) -> Iterator[ast.AST]:
    node = place.node
    if type(node) in _SWAPS:
        yield _SWAPS[type(node)]()
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif _is_droppable(node):
        yield ast.Pass()
    elif isinstance(node, ast.Return) and not (node.value is None or _is_none(node.value)):
        yield ast.Return(ast.Constant(None))
    if _is_condition(place):
        yield ast.UnaryOp(ast.Not(), _expression(node))
    if isinstance(node, ast.Call):
        yield from _with_less(node)


def _is_condition(place: _Place) -> bool:
    """A comparison, a ``not`` and a constant have mutants of their own."""
    conditional = place.field in ("test", "ifs") or (isinstance(place.parent, ast.BoolOp) and place.field == "values")
    return conditional and not isinstance(place.node, ast.Compare | ast.Constant | ast.BoolOp | ast.UnaryOp)


def _is_droppable(node: ast.AST) -> bool:
    """Statements without which the code can still be run."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Attribute) and node.value is not None
    return isinstance(node, ast.AugAssign | ast.Delete | ast.Raise | ast.Break | ast.Continue)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with_less(call: ast.Call) -> Iterator[ast.Call]:
    """The call without each of its arguments."""
    for at in range(len(call.args)):
        yield ast.Call(call.func, call.args[:at] + call.args[at + 1 :], call.keywords)
    for at in range(len(call.keywords)):
        yield ast.Call(call.func, call.args, call.keywords[:at] + call.keywords[at + 1 :])


def _expression(node: ast.AST) -> ast.expr:
    assert isinstance(node, ast.expr)
    return node


def _difference(place: _Place, other: ast.AST) -> str:
    """What a mutant is, for people: the smallest piece that can be shown, before and after."""
    if isinstance(place.node, ast.operator | ast.cmpop | ast.boolop):
        before = _shown(place.parent)
        place.put(other)
        after = _shown(place.parent)
        place.put(place.node)
        return f"{before}  ->  {after}"
    return f"{_shown(place.node)}  ->  {_shown(other)}"


def _shown(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(node)).split("\n")[0]
    return text if len(text) <= 80 else text[:77] + "..."


class Tree:
    """A copy of the tree, with an interpreter and programs of its own that know no other.

    root: what is copied; folder: where to, an empty folder.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(root, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
        venv.create(folder / ".venv", symlinks=True)
        self.python = folder / ".venv" / "bin" / "python3"
        [packages] = (folder / ".venv").glob("lib/*/site-packages")
        theirs = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
        (packages / "tree.pth").write_text("\n".join([str(folder), *theirs]))
        for program in (folder / "bin").glob("*"):
            first, _, rest = program.read_text().partition("\n")
            first = f"#!{self.python}" if "python" in first else first
            installed = self.python.parent / program.name
            installed.write_text(f"{first}\n{rest}")
            installed.chmod(0o755)

    def plant(self, module: str, source: str) -> None:
        """Give a module another source."""
        path = self.folder / module
        path.write_text(source, encoding="utf-8")
        # Compiled code is told from stale by seconds and size alone, and a mutant is as long as the next one.
        Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)

    def passes(self, tests: Sequence[str], seconds: float) -> bool | None:
        """Whether the tests pass; None where they are not through after so many seconds."""
        command = [str(self.python), "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        run = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            resource.prlimit(run.pid, resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
            return run.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)  # and whatever the tests have left running
            run.wait()


def survivors(
    tree: Tree, module: str, tests: Sequence[str], lines: range, seconds: float
) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant of some lines, and whether it survives; one that is not through in time does not."""
    whole = (tree.folder / module).read_text(encoding="utf-8")
    try:
        for mutant in mutants(whole):
            if mutant.line in lines:
                tree.plant(module, mutant.source)
                yield mutant, tree.passes(tests, seconds) is True
    finally:
        tree.plant(module, whole)


def _lines(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", help="a file, from the root of the tree")
    parser.add_argument("tests", nargs="+", help="what pytest is to run; its options after --")
    parser.add_argument("--lines", type=_lines, default=range(1, sys.maxsize), metavar="N-M", help="only these lines")
    parser.add_argument("--seconds", type=float, help="for one mutant; three times what the tests need, and 5")
    options = parser.parse_args()
    if not (ROOT / options.module).is_file():
        parser.error(f"no such module: {options.module}")
    return options


def _main(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(ROOT, Path(folder))
        start = time.monotonic()
        if not tree.passes(options.tests, options.seconds or 600):
            sys.stderr.write("mutants: fatal: the tests fail without any mutant\n")
            return 111
        seconds = options.seconds or 3 * (time.monotonic() - start) + 5
        number = survived = 0
        for mutant, survives in survivors(tree, options.module, options.tests, options.lines, seconds):
            number += 1
            survived += survives
            if survives:
                sys.stdout.write(f"{options.module}:{mutant.line}: {mutant.what}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{options.module}: {survived} of {number} mutants survived\n")
    return 1 if survived else 0


if __name__ == "__main__":
    try:
        sys.exit(_main(_options()))
    except BrokenPipeError:
        sys.exit(111)
