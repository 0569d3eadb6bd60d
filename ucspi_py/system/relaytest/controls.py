"""What the files behind a service say of its own domains, and of what it sends on. Never judges a recipient."""

import os
from collections.abc import Iterator

from ...core.errors import CorruptRules, Failure, unable
from ...core.gate.control_files import hosts
from ...core.gate.settings import QMAIL_CONTROL
from ...core.service.settings import Program
from ..rules.whole_file import read_whole

_QMAIL_SMTPD = "qmail-smtpd"


def own_domain(program: Program) -> bytes | None:
    """Find a domain for which the service of a program takes mail; None where no file names one.

    Raises Failure for a file that cannot be read.
    """
    names = sorted(domain for domain in _domains(program) if not domain.startswith((b".", b"localhost")))
    return names[0] if names else None


def keeps(program: Program, domain: bytes | None) -> bool:
    """Whether what is behind the service is known to send no ``user%elsewhere@domain`` on (qmail-send(8), percenthack).

    domain: one of its own, None = none is known. Raises Failure for a file that cannot be read.
    """
    is_qmail = _QMAIL_SMTPD in map(os.path.basename, program.argv)
    return is_qmail and domain is not None and domain not in _hosts(program, "percenthack")


def _domains(program: Program) -> Iterator[bytes]:
    yield from _hosts(program, "rcpthosts")
    if program.gate is None:
        return
    yield from program.gate.relay_domains
    if program.gate.restrictions is None:
        return
    found = program.gate.restrictions.destinations
    for of_kind in (found.mydestination, found.virtual_mailbox_domains, found.virtual_alias_domains):
        yield from (one.pattern for one in of_kind if isinstance(one.pattern, bytes) and not one.excluded)


def _hosts(program: Program, name: str) -> frozenset[bytes]:
    path = os.path.join(QMAIL_CONTROL if program.gate is None else program.gate.qmail_control, name)
    try:
        return hosts(read_whole(path)[0])
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise unable(f"read {path}", error) from None
    except CorruptRules as corrupt:
        raise Failure(f"unable to read {path}: {corrupt.sentence}") from None
