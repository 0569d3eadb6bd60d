"""The restriction lists of a careful operator: one text for Postfix and for ours. Never measures."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import zones
from workshop import Workshop, needed

_MAIN = """\
smtpd_relay_restrictions =
smtpd_helo_required = yes
smtpd_helo_restrictions = permit_mynetworks, reject_non_fqdn_helo_hostname, reject_invalid_helo_hostname, permit
smtpd_sender_restrictions = permit_mynetworks, reject_non_fqdn_sender, reject_unknown_sender_domain, permit
smtpd_recipient_restrictions = reject_unauth_pipelining, reject_non_fqdn_recipient, reject_unknown_recipient_domain,
    permit_mynetworks, reject_unauth_destination, check_sender_access hash:{access}, {zones}, permit
"""
_ACCESS = """\
myfriend@example.com OK
junk@spam.example REJECT
marketing@ REJECT
theboss@ OK
deals.marketing.example REJECT
somedomain.example OK
"""


class Restrictions(NamedTuple):
    """main_cf: lines of it. name_server: the address of the one that knows the zones and the domains of the bench."""

    main_cf: str
    name_server: str


@contextmanager
def served(workshop: Workshop) -> Iterator[Restrictions]:
    """Serve the zones and the domains that the lists ask for."""
    access = workshop.folder / "sender_access"
    access.write_text(_ACCESS)
    subprocess.run([needed("postmap"), f"hash:{access}"], check=True)
    asked = ", ".join(f"reject_rbl_client {zone}" for zone in zones.NAMES)
    with zones.served(workshop) as environment:
        yield Restrictions(_MAIN.format(access=access, zones=asked), environment["DNSCACHEIP"])
