"""Random regexp and pcre tables to ask postmap about."""

import random
from collections.abc import Sequence

from .origins import words
from .postmap_question import Question

_SHARED = words(r"""
a b ab A B c 1 2 é . .* a* b+ a? [ab] [^a] [a-c] [A-z] [^-~] [_-z] [[:alpha:]] [[:digit:]]+ [[:upper:]]
[^[:space:]] ^ $ \. \- \@ \/ (a|b) (ab|a) (a)(b) (a*) (b|) () | a{2} b{1,2} a{1,} \s \S \w \W \b \B [[] [.] []a]
[a-] [-a] {x (^a) (b$) \\ \" : @ ( ) [ * [a{] \$ \^ \| (a|(b)c)* x{0} (ab){2} \_""")
_ERE_ONLY = words(r"""
a*? b+? a?? a** b+* a{,2} [\a] [a\]b] \< \> \` \' ) {2 \d \D \n \e [[.-.]] [[=a=]] [a-c-e] [+--] a{2}{2} b*{2}
[z-a] (?:a) ^* $+ \B [[:foo:]] [:alpha:] a|*b a{2,1} (*a) (a))""")
_PCRE_ONLY = words(r"""
a*? b+? a?? {2 a{,2} \d \D \h \H \v \V \R \N \e \x41 \x{42} \cA \Qa.b\E \Q*\E+ \A \Z \z (?:a|b) (?i) (?-i)
(?i:a) (?-i:b) (?=a) (?!b) (?<=a) (?<!a) (?#c) (?<n>a)\k<n> (a)\1 (b)\g1 (a)\g{-1} [[:<:]] [[:>:]] [[:word:]]
[[:^alpha:]] [\d] [^\w] [\s\S] [\x41-\x43] [\b] [\]a] \0 \07 (?s:.) (?m) (?x) a++ (?>a) \K \X \p{L} (?R) (?1)
(?|a) [\w-a] [a-\d] (*ACCEPT) \Z $ ^ [[.a.]] \y \j \E [\n] \t \a \f""")
_VALUES = ("OK", "REJECT a # b", "$1", "x${1}y$(1)", "$$ $1", "$2", "$1b", "$0", "$", "DUNNO", "${1", "$x")
_PATTERN_KEYS = words("""
a b A B ab AB aab abb abc b1 a.b a-b _ ~ ^ { {x a\\b cb é É 12 a@b \x07 \x80 \xa0 x aé d D n aaaa ba [a] a] :a :
aB bab""")


def _pattern_line(pieces: Sequence[str], flags: str, draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.1:
        return draw.choice(("endif", "ENDIF", "", "# c", "  more"))
    if kind < 0.12:
        return draw.choice((" /a/ OK", "endif x", "a OK", "if", "/a", "/a/OK", "/a/!/b/ OK", "/a/", "!", "(a( OK"))
    text = "".join(draw.choice(pieces) for _ in range(draw.choice((1, 2, 2, 3, 4))))
    sign = draw.choice("///|#")
    nots = draw.choice(("", "", "", "!", "! !"))
    letters = draw.choice(("", "", "", *flags, "".join(draw.sample(flags, 2))))
    value = draw.choice(_VALUES[:2] if draw.random() < 0.7 else _VALUES)
    if kind < 0.2:
        return f"if {nots}/{text}/{letters}"
    sign = "/" if sign in text else sign
    return f"{nots}{sign}{text}{sign}{letters} {value}"


def pattern_question(kind: str, draw: random.Random) -> Question:
    """Expressions of POSIX or Perl, most of them right, and keys that are like them."""
    own, flags = (_ERE_ONLY, "im") if kind == "regexp" else (_PCRE_ONLY, "imsxAEX")
    pieces = [*_SHARED, *(own if draw.random() < 0.7 else ())]
    lines = [_pattern_line(pieces, flags, draw) for _ in range(draw.choice((1, 1, 2, 3)))]
    if draw.random() < 0.3:
        block = f"if {draw.choice(('', '!'))}/{draw.choice(('a', '^b', '[^a]', 'c|b'))}/"
        lines = [block, *lines, "endif", *draw.choice(([], ["/./ last"]))]
    return Question(kind, "\n".join(lines).encode("latin-1"), tuple(key.encode("latin-1") for key in _PATTERN_KEYS))
