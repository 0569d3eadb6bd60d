"""Shells complete what the manual has, and so --help (test_options): options, commands, programs of a chain."""

import subprocess
from pathlib import Path

import pytest
import shell_completions

from tests.support.pages import DOCS, PROGRAMS
from tests.support.programs import theirs

FILES = shell_completions.files(DOCS)
OWN_WORDS = shell_completions.own_words(DOCS)
#: Has bash's own function complete each line of its input, a line of words for each.
BASH = """
source "$1"
while read -ra COMP_WORDS; do
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  [ "${COMP_WORDS[COMP_CWORD]}" = . ] && COMP_WORDS[COMP_CWORD]=
  "_${COMP_WORDS[0]}"
  echo "${COMPREPLY[*]}"
done
"""
#: What zsh's _describe and _files would be told, as they are told of nothing but within its line editor.
ZSH = """
_describe() {
  [[ $1 == -o ]] && shift
  local -a told=("${(@P)2}")
  told=(${(M)told:#$PREFIX*})
  print -rn -- ${told%%:*} ''
}
_files() { }
while read -rA words; do
  CURRENT=$#words PREFIX=${words[-1]#.}
  print -r -- "$(source $1)"
done
"""
FISH = """
source $argv[1]
while read line
    complete -C (string trim -r -c . -- $line) | string split -f 1 \\t | string join ' '
end
true
"""
SHELLS = {
    "bash": (["bash", "--norc", "-c", BASH, "bash"], "bash/{}"),
    "zsh": (["zsh", "-f", "-c", ZSH, "zsh"], "zsh/_{}"),
    "fish": (["fish", "--no-config", "-c", FISH], "fish/{}.fish"),
}
each_shell = pytest.mark.parametrize("shell", SHELLS)


def completed(shell: str, program: str, lines: list[str], folder: Path) -> list[set[str]]:
    """What a shell offers for the last word of each line; a dot is a word of which nothing is there yet."""
    command, name = SHELLS[shell]
    theirs(shell)
    file = folder / "file"
    file.write_text(FILES[name.format(program)])
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*command, str(file)],
        input="".join(f"{line}\n" for line in lines),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [set(line.split()) for line in done.stdout.splitlines()]


@each_shell
@pytest.mark.parametrize("program", PROGRAMS)
def test_options_are_completed(shell: str, program: str, tmp_path: Path) -> None:
    """Those of the program, and behind a command its own."""
    options = OWN_WORDS[program].options
    lines = [" ".join([program, *([command] if command else []), "-"]) for command in options]

    found = completed(shell, program, lines, tmp_path)

    assert found == [{name for option in some for name in option.names} for some in options.values()]


@each_shell
def test_commands_are_completed_once(shell: str, tmp_path: Path) -> None:
    """Behind one it is files that follow."""
    first, second = completed(shell, "pyrules", ["pyrules .", "pyrules import-"], tmp_path)

    assert first - {"file"} == set(OWN_WORDS["pyrules"].commands)
    assert second == {word for word in first if word.startswith("import-")}
    [third] = completed(shell, "pyrules", ["pyrules lint ."], tmp_path) or [set()]
    assert third <= {"file"}


@each_shell
def test_a_chain_is_completed(shell: str, tmp_path: Path) -> None:
    """Programs that pytcpserver does the work of, and the options of the one that was written last."""
    chain = "pytcpserver -x cdb 0 smtp pyrblsmtpd -r zone"

    names, options = completed(shell, "pytcpserver", [f"{chain} py", f"{chain} pysmtpgate --imp"], tmp_path)

    assert names >= {"pygreylist", "pysmtpgate"}
    assert options == {"--import-spamdyke"}
