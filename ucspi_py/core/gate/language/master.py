"""The settings that master.cf has for a service (master(5); postconf_master.c). Never knows what a parameter means."""

from collections.abc import Iterable, Iterator

from ...errors import AskedWrongly
from .syntax import Setting, Source, logical_lines, setting

#: service type private unprivileged chroot wakeup maxproc, before the command.
_COMMAND = 7
#: Options of smtpd behind which an argument stands.
_TAKES_ARGUMENT = "imnost"
_SEPARATORS = " \t\r\n"


def service_settings(place: str, text: str, name: str) -> list[Setting]:
    """Read the options -o of a service whose program is smtpd.

    place: the file's name, for messages. name: as its line begins, ``submission``, or with its type, ``smtp/inet``.
    Raises AskedWrongly: no such service, or a line that is none.
    """
    found: list[str] = []
    for line in logical_lines(place, text):
        fields = list(_fields(line))
        if len(fields) <= _COMMAND:
            raise AskedWrongly(f"{line.where()}: a service has {_COMMAND} fields before its command: '{line.text}'")
        service, kind, command = (fields[at].text for at in (0, 1, _COMMAND))
        if command != "smtpd":
            continue
        if name in (service, f"{service}/{kind}"):
            return [setting(words) for words in _options(fields[_COMMAND + 1 :])]
        found.append(service)
    there = f"; there are {', '.join(found)}" if found else ""
    raise AskedWrongly(f"{place}: smtpd has no service {name}{there}")


def _fields(line: Source) -> Iterator[Source]:
    """Divided at blanks; what stands in braces is one field."""
    begun, depth = None, 0
    for at, char in enumerate(line.text):
        if char in _SEPARATORS and not depth:
            if begun is not None:
                yield line.cut(begun, at)
            begun = None
            continue
        depth += (char == "{") - (char == "}" and depth > 0)
        begun = at if begun is None else begun
    if begun is not None:
        yield line.cut(begun, len(line.text))


def _options(arguments: Iterable[Source]) -> Iterator[Source]:
    """Each ``name=value`` of -o, as getopt finds it; -v and its like are smtpd's own."""
    waiting = iter(arguments)
    for argument in waiting:
        flags = argument.text
        if not flags.startswith("-"):
            raise AskedWrongly(f"{argument.where()}: '{flags}' is no option of smtpd")
        at = next((at for at, flag in enumerate(flags) if flag in _TAKES_ARGUMENT), None)
        if at is None:
            continue
        rest = argument.cut(at + 1, len(flags))
        value = rest if rest.text else next(waiting, None)
        if value is None:
            raise AskedWrongly(f"{argument.where()}: nothing stands behind {flags}")
        if flags[at] == "o":
            yield _bare(value)


def _bare(value: Source) -> Source:
    """Without the braces of ``{ name = value }``."""
    if not value.text.startswith("{"):
        return value
    if not value.text.endswith("}"):
        raise AskedWrongly(f"{value.where()}: '{value.text}' does not end in a brace")
    return value.cut(1, len(value.text) - 1).trimmed()
