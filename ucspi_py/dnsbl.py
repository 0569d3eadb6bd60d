"""DNS lists by RFC 5782: the name to ask for, what the answers mean, and the verdict of all. Pure: no query is sent.

parse: a zone as pyrblsmtpd's -r and -a have it. query: zone and client -> the name to ask for A and, where
after_address() is None, for TXT. after_address, after_text: answers (Found, Absent, Failed) -> a finding (Listed,
Clean, Failing). judge: one finding for each zone -> Accept or Refuse; None while a missing one could change that.

>>> zone = parse("zen.example.org=127.0.0.[2..11]")
>>> query(zone, canonical("192.0.2.7"), ask_private=False)
b'7.2.0.192.zen.example.org'
>>> address = Found((bytes((127, 0, 0, 2)),), ttl=300)
>>> after_address(zone, address) is None
True
>>> finding = after_text(zone, b"192.0.2.7", address, Absent(exists=True))
>>> judge(DnsblSettings((zone,), session_seconds=60, lookup_seconds=5), [finding]).reply
b'451 192.0.2.7 is listed in zen.example.org'
"""

from .core.address import canonical
from .core.dns.message import Absent, Answer, Failed, Found
from .core.dnsbl.answers import Clean, Failing, Finding, Listed, after_address, after_text, query
from .core.dnsbl.judgement import judge
from .core.dnsbl.settings import DnsblSettings
from .core.dnsbl.zone import Zone, parse
from .core.errors import AskedWrongly
from .core.smtp.verdict import Accept, Refuse, Verdict

__all__ = ["Absent", "Accept", "Answer", "AskedWrongly", "Clean", "Failed", "Failing", "Finding", "Found", "Listed"]
__all__ += ["DnsblSettings", "Refuse", "Verdict", "Zone"]
__all__ += ["after_address", "after_text", "canonical", "judge", "parse", "query"]
