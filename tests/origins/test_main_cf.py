"""main.cf and master.cf beside Postfix's own postconf."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.support.origins import asked
from tests.support.postconf import Said, postconf, postconf_of_each
from tests.support.programs import theirs
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language import parameters, passed_over, refused, restriction_parameters
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.expansion import Expansion
from ucspi_py.core.gate.language.master import service_settings
from ucspi_py.core.gate.language.syntax import Source, settings
from ucspi_py.core.gate.language.words import Fragment, joined, split
from ucspi_py.core.gate.milter import parameters as milter_parameters

CASES = 500
_ASKED = ("myorigin", "mydomain", "recipient_delimiter")


def ours(main: bytes, *names: str) -> dict[str, str] | str:
    """The texts of parameters, as postconf shows them; or what is wrong."""
    try:
        configuration = Configuration(settings("main.cf", main.decode("utf-8", "surrogateescape")))
        return {name: " ".join(configuration.text(name).split()) for name in names}
    except AskedWrongly as wrong:
        return wrong.sentence


@pytest.mark.parametrize(
    "main",
    [
        b"# x\n\n   \nmyorigin = a,\n# x\n  # y\n\n \t \n   b\nmydomain = c\n",  # S1
        b"mydomain = yes\n myorigin = no\n",  # S2
        b"myorigin = reject # why\n",  # S3
        b"myorigin = a, \\\n  b\n",  # S4
        b"myorigin = abc\\\n  b\n",
        b"myorigin = a, \\\nmydomain = v\n",
        b"myorigin=v\nmydomain  =  v  \nrecipient_delimiter = b = c\n",  # S7
        b"myorigin = a,\r\n\tb\r\n\r\n# x\r\nmydomain = c\r\n",  # S8
        b"myorigin = x\nmydomain = y",  # S9: no line end at the end
        b"myorigin = \xc3\xa9 \xff\n",
        b"virtual_maps = x\nfallback_relay = y\nsmtpd_client_connection_limit_exceptions = z\n",  # S11
        b"foo = x\nmyorigin = $foo\n",
        b"smtpd_restriction_classes = foo\nfoo = permit\n",
        b"aa = 1\nmyorigin = [$aa ${aa} $(aa) $$ ${ aa } $aa.x $aa-y]\nmydestination = $mydomain\n",  # S14
        b"myorigin = $mydomain\nmydomain = y\n",
        b"aa=1\nbb=\nmyorigin = [${aa?x}|${aa:x}|${bb?x}|${bb:x}|${cc?x}|${cc:x}|${aa? x}|$(aa?(x))]\n",  # S15
        b"aa=1\nbb=\nmyorigin = ${aa?{x}}${aa?{x}:{y}}${bb?{x}:{y}}${{$aa} == {1} ? {x} : {y}}${ aa ? {x} : {y}}}\n",
        b"aa=$bb\nbb=\nmyorigin = [${aa?x}|${{$aa} == {} ? {${bb:z}} : {y}}|${{1} < {2}}|${{b} < {a}}]\n",
        b"myorigin = ${{10} > {9}?num}${{a10} > {a9}?str}${{3.10} >level {3.9}?level}${{1}!={1}:same}${{1}>={1}?ge}\n",
        b"myorigin =\nmydomain = z\n",  # S17
        b'myorigin = "permit_mynetworks, reject"\n',  # S18
        b"compatibility_level = 3.6\nmyorigin = $relay_domains|$append_dot_mydomain|$smtpd_relay_restrictions\n",
        b"compatibility_level = 1\nmydestination = z\nmyorigin = $relay_domains|$smtpd_relay_restrictions\n",
        b"mydestination = z\nmyorigin = $relay_domains|$append_dot_mydomain|$smtpd_relay_restrictions\n",
        b"compatibility_level = 3.5.9\nmyorigin = $smtpd_relay_before_recipient_restrictions\n",
        b"myhostname = mx.example.org\nmyorigin = $mydomain\n",
        b"myhostname = mx\nmyorigin = $mydomain $mydestination\n",
    ],
)
def test_what_postfix_takes_we_take_alike(main: bytes, tmp_path: Path) -> None:
    """Rows S1 to S18."""
    names = [name for name in _ASKED if name != "mydomain" or b"mydomain" in main]
    said = postconf(tmp_path, b"myhostname = mx.example.org\n" * (b"myhostname" not in main) + main, *names)

    assert said.texts == ours(b"myhostname = mx.example.org\n" * (b"myhostname" not in main) + main, *names)


FATAL = [
    (b"x\n\nmyorigin = a, \\\nb\n", "main.cf line 1: 'x'"),  # S4, S5
    (b"myorigin = a, \\\nb\n", "main.cf line 2: 'b'"),
    (b"myorigin a\n", "main.cf line 1"),
    (b"myorigin : v\n", "main.cf line 1"),
    (b"a b = c\n", "main.cf line 1"),
    (b"myorigin += v\n", "main.cf line 1"),
    (b"\n= x\n", "main.cf line 2"),
    (b"myorigin = $myorigin, more\n", "main.cf line 1: myorigin refers to itself"),  # S16
    (b"aa = $bb\nbb = $aa\nmyorigin = $aa\n", "main.cf line 3: myorigin refers to itself"),
    (b"myorigin = ${mydomain\n", "main.cf line 1: myorigin has no }"),
    (b"myorigin = $(mydomain}\n", "main.cf line 1: myorigin has no )"),
    (b"myorigin = a$\n", "main.cf line 1: myorigin takes $name and ${name}, and '$' is neither"),
    (b"myorigin = ${}\n", "is neither"),
    (b"myorigin = ${aa b}\n", "'aa b' is no name"),
    (b"myorigin = ${mydomain?{x}y}\n", "takes {yes}:{no} behind a condition, and not 'y'"),
    (b"myorigin = ${mydomain:{x}:{y}}\n", "takes {yes}:{no} behind a condition, and not ':{y}'"),
    (b"myorigin = ${{a} = {b}?x}\n", "and not '= {b}?x'"),
    (b"myorigin = ${{a} == b?x}\n", "and not 'b?x'"),
    (b"myorigin = ${{a} == {b} x}\n", "takes ? or : behind a condition, and not 'x'"),
    (b"myorigin = ${{a} <foo {b}?x}\n", "and these with level"),
    (b"myorigin = ${{3x} <level {b}?x}\n", "such as 2 or 3.6, and not '3x'"),
    (b"compatibility_level = 3.6.1.1\nmyorigin = $relay_domains\n", "and not '3.6.1.1'"),
]


@pytest.fixture(scope="module")
def fatal(tmp_path_factory: pytest.TempPathFactory) -> dict[bytes, Said]:
    """What Postfix says of each of them."""
    return postconf_of_each(tmp_path_factory.mktemp("fatal"), [main for main, _ in FATAL], "myorigin")


@pytest.mark.parametrize(("main", "place"), FATAL)
def test_what_is_fatal_to_postfix_is_refused(main: bytes, place: str, fatal: dict[bytes, Said]) -> None:
    """With the line and what is wrong with it."""
    mine = ours(main, "myorigin")

    assert fatal[main].texts is None
    assert isinstance(mine, str)
    assert place in mine


@pytest.mark.parametrize(
    ("main", "warning", "refused"),
    [
        (b" myorigin = v\nmydomain = x\n", "must not start with whitespace", "main.cf line 1: a blank at its start"),
        (b"Myorigin = x\n", "unused parameter: Myorigin", "there is no parameter Myorigin; the nearest is myorigin"),
        (b"\nsmtpd_recipients_restrictions = x\n", "unused", "line 2: there is no parameter smtpd_recipients_restri"),
        (b"foo_bar = $mydomain\n", "unused parameter: foo_bar", "main.cf line 1: there is no parameter foo_bar"),
        (b"\xef\xbb\xbfmyorigin = x\n", "unused parameter", "there is no parameter \ufeffmyorigin"),
        (b"myorigin = a$undef\n", "undefined parameter: undef", "myorigin refers to $undef, and there is no parameter"),
    ],
)
def test_what_postfix_only_warns_of_is_refused(main: bytes, warning: str, refused: str, tmp_path: Path) -> None:
    """There a setting is lost; rows S2, S9, S10, S11, S13."""
    said, mine = postconf(tmp_path, main, "myorigin"), ours(main, "myorigin")

    assert said.texts is not None
    assert warning in said.complaints
    assert isinstance(mine, str)
    assert refused in mine


def test_the_last_of_two_counts(tmp_path: Path) -> None:
    """Row S6: Postfix warns."""
    main = b"myorigin = old\nmyorigin = new\n"
    said = postconf(tmp_path, main, "myorigin")

    assert "overriding earlier entry: myorigin=old" in said.complaints
    assert said.texts == ours(main, "myorigin") == {"myorigin": "new"}


#: What a value may be made of, so that much of it has a meaning and much has none.
_PIECES = [
    "$aa",
    "$bb",
    "$cc",
    "${aa}",
    "${",
    "$(",
    "}",
    ")",
    "{",
    "?",
    ":",
    "$$",
    "$",
    " ",
    "x",
    "==",
    "!=",
    "<",
    "level ",
]
_PIECES += [
    "{$aa}",
    "{$bb}",
    "{3.6}",
    "{9}",
    "{10}",
    "${aa?",
    "${bb?",
    "${bb:",
    "${dd?",
    "${{$aa} == ",
    "${{2} <level ",
    "{x}",
]
_PIECES += ["${aa?{x}:{y}}", "${{10} > {9} ? {x} : {$aa}}"]


_MAC_EXPAND = """
import ctypes, json, sys
util = ctypes.CDLL("/usr/lib/postfix/libpostfix-util.so", mode=ctypes.RTLD_GLOBAL)
ctypes.CDLL("/usr/lib/postfix/libpostfix-global.so").compat_level_relop_register()
LOOKUP = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
util.vstring_alloc.restype = ctypes.c_void_p
RECURSE, ERROR, UNSET = 1, 1, 2
def ask(texts, pattern):
    kept = {name.encode(): ctypes.create_string_buffer(text.encode()) for name, text in texts.items()}
    lookup = LOOKUP(lambda name, mode, context: ctypes.addressof(kept[name]) if name in kept else None)
    result = util.vstring_alloc(ctypes.c_ssize_t(100))
    status = util.mac_expand(ctypes.c_void_p(result), pattern.encode(), RECURSE, None, lookup, None)
    text = ctypes.c_char_p.from_address(result + 8).value.decode()
    return "error" if status & ERROR else "unset" if status & UNSET else "=" + text
json.dump([ask(*question) for question in json.load(sys.stdin)], sys.stdout)
"""


def expanded(texts: dict[str, str], pattern: str) -> str:
    """What becomes of a value among others."""
    sources = {name: Source(text, name) for name, text in {**texts, "pattern": pattern}.items()}
    try:
        return "=" + joined(Expansion(sources, "myhostname").of("pattern"))
    except ValueError as wrong:
        return "unset" if "there is no parameter" in str(wrong) else "error"


def test_any_value_is_expanded_alike() -> None:
    """By Postfix's own function, blank for blank; where both an error and an unset name are in it, either is right."""
    theirs("postconf")
    draw = random.Random(14)
    questions = [
        ({"aa": "1", "bb": "", "cc": "$aa" + "".join(draw.choices(_PIECES, k=2))}, "".join(draw.choices(_PIECES, k=k)))
        for k in range(1, 9)
        for _ in range(CASES)
    ]

    answers = asked(_MAC_EXPAND, questions=questions)

    found = [expanded(*question) for question in questions]
    pairs = list(zip(answers, found, questions, strict=True))
    assert [pair for pair in pairs if pair[0] != pair[1] and pair[:2] != ("error", "unset")] == []
    assert {answer[:1] for answer in answers} == {"e", "u", "="}


_MYSTRTOKQ = """
import ctypes, json, sys
util = ctypes.CDLL("/usr/lib/postfix/libpostfix-util.so")
util.mystrtokq.restype = ctypes.c_char_p
def ask(text):
    buffer = ctypes.create_string_buffer(text.encode())
    position = ctypes.c_void_p(ctypes.addressof(buffer))
    words = []
    while (word := util.mystrtokq(ctypes.byref(position), b", \\t\\r\\n", b"{}")) is not None:
        words.append(word.decode())
    return words
json.dump([ask(text) for text in json.load(sys.stdin)], sys.stdout)
"""


def test_a_list_is_split_alike() -> None:
    """Row S19: by Postfix's own function."""
    theirs("postconf")
    draw = random.Random(19)
    lists = ["".join(draw.choices("ab:;{} ,\t\r#", k=draw.randint(0, 14))) for _ in range(3000)]
    lists += ["check_policy_service { inet:h:1, timeout=1 }, inline:{ {a=b}, c=d } reject", "{ a, b } c", "a;b"]

    assert [[word.text for word in split((Fragment(text, ""),))] for text in lists] == asked(
        _MYSTRTOKQ, questions=lists
    )


def test_defaults_of_milters_are_those_of_postfix() -> None:
    """Word for word."""
    names = [one.name for one in milter_parameters.PARAMETERS]
    listed = subprocess.run([theirs("postconf"), "-d", *names], capture_output=True, text=True, check=True).stdout

    found = dict(line.split(" =", 1) for line in listed.splitlines())
    assert {name: text.strip() for name, text in found.items()} == {
        one.name: one.default for one in milter_parameters.PARAMETERS
    }


def test_every_parameter_of_postfix_is_known() -> None:
    """Of each service of Debian's master.cf, too: no real main.cf meets one that is not."""
    listed = subprocess.run([theirs("postconf"), "-d"], capture_output=True, text=True, check=True).stdout
    names = [line.partition(" =")[0] for line in listed.splitlines()]
    known = {one.name for one in (*parameters.PARAMETERS, *restriction_parameters.PARAMETERS)} | refused.BY_NAME.keys()

    assert len(names) > 800
    assert [name for name in names if name not in known and passed_over.reason(name) is None] == []


_MASTER = """
# x
smtp      inet  n       -       y       -       1       postscreen
smtpd     pass  -       -       y       -       -       smtpd -v
  -o smtpd_banner=hello
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
# between
  -o { myorigin = a, b }
  -o mydomain=  -vo recipient_delimiter=+
  -o smtpd_helo_restrictions=$mua_helo_restrictions
  -o smtpd_sender_restrictions=permit_mynetworks,reject
smtp      unix  -       -       y       -       -       smtp -o smtp_helo_timeout=5
"""


def test_a_service_has_the_settings_that_postfix_sees(tmp_path: Path) -> None:
    """postconf -P shows them."""
    (tmp_path / "main.cf").write_text("mua_helo_restrictions = permit\n")
    (tmp_path / "master.cf").write_text(_MASTER)
    os.utime(tmp_path / "main.cf", (1, 1))
    shown = subprocess.run(
        [theirs("postconf"), "-c", str(tmp_path), "-P", "submission"], capture_output=True, text=True, check=True
    ).stdout

    mine = [
        f"submission/inet/{one.name} = {one.value.text}" for one in service_settings("master.cf", _MASTER, "submission")
    ]

    assert sorted(line.rstrip() for line in mine) == sorted(line.rstrip() for line in shown.splitlines())
