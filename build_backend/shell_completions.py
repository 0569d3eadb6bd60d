"""Completions for bash, zsh and fish, made of the tables of docs/: options, commands, and programs of a chain.

The backend writes them beside the manual pages before it builds an archive.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import manual
from docutils import nodes

#: Behind these others may stand, with options of their own; the first may have all others behind it.
_CHAIN = ("pytcpserver", "pyrelay", "pyrblsmtpd", "pygreylist", "pysmtpgate")
_OPTION = re.compile(r"(--?[\w-]+)[ =]?(.*)", re.DOTALL)
#: Where the manual begins to say more than a list of options has room for.
_MORE = re.compile(r"; | \(|, see |\. ")


class Option(NamedTuple):
    """names: as written. takes: whether it has a value. meaning: in a few words."""

    names: tuple[str, ...]
    takes: bool
    meaning: str


class Words(NamedTuple):
    """What may follow a program.

    commands: its own, and what they do. programs: those that may stand behind it. options: of each of both, and of ""
    before any.
    """

    commands: dict[str, str]
    programs: dict[str, str]
    options: dict[str, list[Option]]


def write(docs: Path, folder: Path) -> None:
    """Write the completions of all programs below a folder, which is emptied first.

    Raises docutils.utils.SystemMessage for a page with a mistake in it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files(docs).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files(docs: Path) -> dict[str, str]:
    """Make the completions of docs in memory; their text by their path, ``bash/pytcpserver``."""
    pages = _pages(docs)
    own = {name: _own_words(name, page) for name, page in pages.items()}
    titles = {name: next(page.findall(nodes.subtitle)).astext() for name, page in pages.items()}
    made: dict[str, str] = {}
    for name in own:
        words = _with_chain(name, own, titles)
        made |= {f"bash/{name}": _bash(name, words), f"zsh/_{name}": _zsh(name, words)}
        made[f"fish/{name}.fish"] = _fish(name, words)
    return made


def own_words(docs: Path) -> dict[str, Words]:
    """Read what may follow each program; of others that may stand behind it there is nothing."""
    return {name: _own_words(name, page) for name, page in _pages(docs).items()}


def _pages(docs: Path) -> dict[str, nodes.document]:
    return {path.stem: manual.read(path) for path in sorted(docs.glob("py*.rst"))}


def _own_words(name: str, page: nodes.document) -> Words:
    commands = {row["command"].split()[0]: row[""] for _, row in _rows(page, "command")}
    options: dict[str, list[Option]] = {command: [] for command in ["", *commands]}
    for head, row in _rows(page, "option"):
        found = [
            match.groups() for literal in head.findall(nodes.literal) if (match := _OPTION.match(literal.astext()))
        ]
        meaning = _MORE.split(row["meaning"])[0]
        option = Option(tuple(one for one, _ in found), any(value for _, value in found), meaning)
        for command in _whose(name, row.get("of", ""), list(commands)):
            options[command].append(option)
    return Words(commands, {}, options)


def _rows(page: nodes.document, first: str) -> Iterator[tuple[nodes.entry, dict[str, str]]]:
    """The first entry of each row of the tables with this first head, and the row's texts by their heads.

    The second column of the table of commands has another head on each page: it is "".
    """
    for table in page.findall(nodes.table):
        lines = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
        heads = [entry.astext() for entry in lines[0]]
        if heads[0] == first:
            for line in lines[1:]:
                texts = [" ".join(entry.astext().split()) for entry in line]
                yield line[0], dict(zip(heads, texts, strict=True)) | {"": texts[1]}


def _whose(name: str, text: str, commands: list[str]) -> list[str]:
    """Of which commands an option is. text: what the column "of" says, "" = there is none."""
    named = [word for word in re.split(r"[\s,]+", text) if word in commands]
    if text.startswith("all but"):
        return [command for command in commands if command not in named]
    if text == "all":
        return ["", *commands]
    return ["", *named] if not text or name in text or "the screen" in text else named


def _with_chain(name: str, own: dict[str, Words], titles: dict[str, str]) -> Words:
    """The words of a program, and those of the programs that may stand behind it."""
    words = own[name]
    if name not in _CHAIN:
        return words
    behind = _CHAIN[_CHAIN.index(name) + 1 :]
    return Words(
        words.commands,
        {one: titles[one] for one in behind},
        words.options | {one: own[one].options["check" if one == "pyrelay" else ""] for one in behind},
    )


def _bash(name: str, words: Words) -> str:
    cases = [
        f"    {command or '*'}) options='{' '.join(one for option in options for one in option.names)}' ;;"
        for command, options in _last_first(words)
    ]
    return _lines(
        f"# bash completion of {name}, made of its manual page",
        f"_{name}() {{",
        "  local word=${COMP_WORDS[COMP_CWORD]} before command= options",
        '  for before in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        f"    case $before in {_one_of(words)}) command=$before ;; esac",
        "  done",
        "  case $command in",
        *cases,
        "  esac",
        "  if [[ $word != -* ]]; then",
        f"    options='{' '.join(words.programs)}'",
        f"    [[ $command ]] || options+=' {' '.join(words.commands)}'",
        "  fi",
        '  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")',
        "}",
        f"complete -o default -F _{name} {name}",
    )


def _zsh(name: str, words: Words) -> str:
    options = {
        command: _all_described((one, option.meaning) for option in options for one in option.names)
        for command, options in _last_first(words)
    }
    return _lines(
        f"#compdef {name}",
        "# made of its manual page",
        "local before command",
        "local -a choices following",
        "for before in ${words[2,CURRENT-1]}; do",
        f"  case $before in ({_one_of(words)}) command=$before ;; esac",
        "done",
        "case $command in",
        *(f"  ({command or '*'}) choices=({described}) ;;" for command, described in options.items()),
        "esac",
        "if [[ $PREFIX == -* ]]; then",
        "  _describe -o option choices",
        "else",
        f"  following=({_all_described(words.programs.items())})",
        f"  [[ -n $command ]] || following+=({_all_described(words.commands.items())})",
        "  (( $#following )) && _describe command following",
        "  _files",
        "fi",
    )


def _fish(name: str, words: Words) -> str:
    begun = f"not __fish_seen_subcommand_from {_names(words)}" if _names(words) else "true"
    lines = [
        f"complete -c {name} -n {_quoted(begun)} -a {word} -d {_quoted(does)}" for word, does in words.commands.items()
    ]
    lines += [f"complete -c {name} -a {word} -d {_quoted(does)}" for word, does in words.programs.items()]
    for command, options in words.options.items():
        when = f"__fish_seen_subcommand_from {command}" if command else begun
        lines += [f"complete -c {name} -n {_quoted(when)} {_fish_option(option)}" for option in options]
    return _lines(f"# fish completion of {name}, made of its manual page", *lines)


def _fish_option(option: Option) -> str:
    names = [f"-l {one[2:]}" if one.startswith("--") else f"-s {one[1:]}" for one in option.names]
    return " ".join([*names, *["-r"] * option.takes, "-d", _quoted(option.meaning)])


def _last_first(words: Words) -> list[tuple[str, list[Option]]]:
    """Options by commands; those before any come last, as their pattern is *."""
    return sorted(words.options.items(), key=lambda each: not each[0])


def _one_of(words: Words) -> str:
    return _names(words).replace(" ", "|") or "''"


def _names(words: Words) -> str:
    return " ".join([*words.commands, *words.programs])


def _all_described(words: Iterable[tuple[str, str]]) -> str:
    return " ".join(_quoted(f"{word}:{meaning}") for word, meaning in words)


def _quoted(text: str) -> str:
    """Shells do not agree on how a quotation mark stands within such, so it becomes another one."""
    return "'" + text.replace("'", "\u2019").replace("\\", "") + "'"


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    write(Path("docs"), Path("completions"))
