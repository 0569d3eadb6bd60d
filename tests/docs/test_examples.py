"""What the pages show is what the programs do."""

import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.pages import DOCS, PROGRAMS, literals, page, program_page, sections
from ucspi_py.core.gate.language import syntax
from ucspi_py.core.gate.language.configuration import Configuration

#: The file that the page of pytcprules speaks of: its odd lines, where they stand.
FLAWED = {2: "1.2.3.4:allow", 4: "10.0:deny", 7: "badhost.net:deny", 9: "1.2.3.4:deny", 12: ':allow,RELAYCLIENT=""'}


def run(*words: str | Path, rules: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of the programs."""
    return subprocess.run(
        [sys.executable, "-m", "ucspi_py", *words],
        input=rules,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def examples() -> list[str]:
    """The blocks of rules on the page about the language."""
    return [block for block in literals(page(DOCS / "rules.rst")) if ":deny" in block]


@pytest.mark.parametrize("rules", examples(), ids=lambda rules: rules.partition("\n")[0])
def test_the_rules_of_the_page_have_no_flaw(rules: str) -> None:
    """The compiler has nothing to say of them."""
    done = run("pytcprules", "--check", "--strict", rules=rules + "\n")

    assert (done.returncode, done.stderr) == (0, "")


def test_the_warnings_are_those_of_the_compiler() -> None:
    """The page of pytcprules shows them to the letter."""
    shown = literals(sections(program_page("pytcprules"))["Notes"])[0]
    source = "".join(FLAWED.get(line, "#") + "\n" for line in range(1, 13))

    done = run("pytcprules", "--check", rules=source)

    assert done.stderr.splitlines() == shown.splitlines()[1:]


def test_the_refusal_of_curly_quotes_is_that_of_the_compiler() -> None:
    """Below it stands why."""
    shown = literals(sections(program_page("pytcprules"))["Notes"])[1]

    done = run("pytcprules", "--check", rules="127.:allow,RELAYCLIENT=””\n")

    assert (done.returncode, done.stderr.splitlines()) == (100, shown.splitlines())


def test_the_answer_of_pytcprulescheck_is_its_own(tmp_path: Path) -> None:
    """With the rules of the page about the language."""
    shown = literals(sections(program_page("pytcprulescheck"))["Interface"])[1]
    compiled = run("pytcprules", tmp_path / "cdb", tmp_path / "tmp", rules=examples()[0] + "\n")

    done = run("pytcprulescheck", tmp_path / "cdb", TCPREMOTEIP="192.168.10.7")

    assert compiled.returncode == 0
    assert done.stdout.splitlines() == shown.splitlines()[1:]


def test_the_parameters_of_the_page_are_taken() -> None:
    """Its file of them is one."""
    shown = next(block for block in literals(program_page("pysmtpgate")) if "mynetworks = " in block)

    settings = Configuration(syntax.settings("page", shown)).gate_settings()

    assert (settings.message_size_limit, len(settings.mynetworks)) == (30_000_000, 3)


def test_readme_links_to_each_program_and_to_no_other() -> None:
    """A python3 or a pygmentize of the environment in everybody's $PATH is nobody's wish."""
    (line,) = (line for line in (ROOT / "README.rst").read_text().splitlines() if "ln -s $PWD/py" in line)
    patterns = re.findall(r"\$PWD/(\S+)", line)
    others = ["python", "python3", "python3.11", "pygmentize", "pip", "ucspi_py"]

    linked = {name for pattern in patterns for name in fnmatch.filter([*PROGRAMS, *others], pattern)}

    assert linked == set(PROGRAMS)
