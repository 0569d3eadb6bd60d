"""What others may import: three modules, small, documented, pure, and the same names in every release."""

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ucspi_py"
LINE_LIMIT = 40

NAMES = {
    "rules": "canonical changes compiled dump explain instructions lint match"
    " Change CorruptRules Explanation Finding Instructions Line Match Table UnparsableLine",
    "dnsbl": "after_address after_text canonical judge parse query"
    " Absent Accept Answer AskedWrongly Clean Failed Failing Finding Found Listed Refuse DnsblSettings Verdict Zone",
    "smtp": "RefusalDialogue Refuse",
}

SCRIPT = "import sys; before = set(sys.modules); import ucspi_py.{name}; print(*set(sys.modules) - before)"


def test_these_modules_are_public() -> None:
    """A module beside the floors is a promise to whoever imports it."""
    assert {path.stem for path in PACKAGE.glob("[!_]*.py")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_public_names(name: str) -> None:
    """Each name that is promised is there, and no other; functions and classes say what they do."""
    module = importlib.import_module(f"ucspi_py.{name}")

    assert sorted(module.__all__) == sorted(NAMES[name].split())
    for public in module.__all__:
        value = getattr(module, public)
        assert inspect.getdoc(value) if inspect.isclass(value) or inspect.isfunction(value) else value, public


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_the_public_names_run(name: str) -> None:
    """What a newcomer copies from the docstring works."""
    failed, tried = doctest.testmod(importlib.import_module(f"ucspi_py.{name}"))

    assert tried > 2
    assert failed == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_public_face_is_a_face(name: str) -> None:
    """It is small and hands on what core has: it does nothing of its own."""
    source = (PACKAGE / f"{name}.py").read_text()
    statements = ast.parse(source).body[1:]
    imports = [one for one in statements if isinstance(one, ast.ImportFrom)]

    assert source.count("\n") < LINE_LIMIT
    assert all((one.module or "").startswith("core.") for one in imports)
    assert {ast.unparse(one).split()[0] for one in statements if one not in imports} == {"__all__"}


@pytest.mark.parametrize("name", NAMES)
def test_who_imports_the_public_face_gets_no_server(name: str) -> None:
    """Nothing that opens a socket, and nothing that has to be installed."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(name=name)], cwd=PACKAGE.parent, capture_output=True, check=True, text=True
    )

    loaded = set(done.stdout.split())
    assert "ucspi_py.core" in loaded
    assert not {module for module in loaded if module.startswith(("ucspi_py.system", "ucspi_py.cli"))}
    assert not loaded & {"asyncio", "cdblib", "click", "dns", "redis", "socket", "sqlite3"}
