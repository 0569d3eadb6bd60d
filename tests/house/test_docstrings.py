"""What a number means stands beside it: every number that a public function takes or a public value holds is named.

A number without its unit is a bug to come: seconds or milliseconds, a process id or a row, a wait status or a code.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "ucspi_py"
HOUSE = sorted(PACKAGE.rglob("*.py"))

_NUMBER = re.compile(r"\b(?:int|float)\b")
_EXAMPLE = '''
class Lamp:
    """A lamp. watts: while it burns."""
    watts: int
    lumens: float | None
    _switched: int
    name: str
    def dim(self, watts: int, steps: int) -> None:
        """Dim it in steps."""
    def _dim(self, ohms: int) -> None: ...
async def shine(lamps: list[Lamp], *, seconds: float) -> None:
    """Shine."""
'''

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_every_number_is_named_in_a_docstring() -> None:
    """By its own name, in the docstring of its function or of the class around it."""
    found = {number: str(path) for path in HOUSE for number in unnamed(ast.parse(path.read_bytes()))}

    assert found == {}


def test_what_counts_as_a_number_without_a_name() -> None:
    """A field or a parameter that is one, public, and in no docstring around it."""
    assert list(unnamed(ast.parse(_EXAMPLE))) == ["Lamp.lumens", "shine.seconds"]


def unnamed(tree: ast.Module) -> Iterator[str]:
    """Yield ``function.parameter``, ``Class.method.parameter`` or ``Class.field`` of each number without a name."""
    for node in tree.body:
        if isinstance(node, _Function):
            yield from _in_function(node, "", "")
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _in_class(node)


def _in_class(node: ast.ClassDef) -> Iterator[str]:
    text = ast.get_docstring(node) or ""
    for part in node.body:
        if isinstance(part, _Function):
            yield from _in_function(part, f"{node.name}.", text)
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            field = part.target.id
            if not field.startswith("_") and _is_number(part.annotation) and not _is_in(text, field):
                yield f"{node.name}.{field}"


def _in_function(node: _Function, owner: str, around: str) -> Iterator[str]:
    if node.name.startswith("_") and node.name != "__init__":
        return
    text = f"{around}\n{ast.get_docstring(node) or ''}"
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if _is_number(argument.annotation) and not _is_in(text, argument.arg):
            yield f"{owner}{node.name}.{argument.arg}"


def _is_number(annotation: ast.expr | None) -> bool:
    return annotation is not None and _NUMBER.search(ast.unparse(annotation)) is not None


def _is_in(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None
