"""What a policy service is told of a command (smtpd_check.c, check_policy_service; SMTPD_POLICY_README)."""

from ....tls.facts import TlsFacts
from ....tls.subject import common_name, issuer_name
from ...policy.particulars import Particulars
from ..addresses.address import said
from ..evaluation import Evaluation
from ..facts import Stage

Attributes = tuple[tuple[bytes, bytes], ...]

#: xtext.c: what stands for itself; RFC 3461, 4, does not have = among it.
_XTEXT = frozenset(range(33, 127)) - frozenset(b"+")
_NO_TLS = TlsFacts(b"", b"", 0)
#: Commands behind which there are recipients to be counted.
_COUNTED = (Stage.DATA, Stage.END_OF_MESSAGE)


def attributes(evaluation: Evaluation, context: bytes) -> Attributes:
    """Tell all that is known, in Postfix's order. context: policy_context."""
    facts = evaluation.facts
    more = facts.particulars or Particulars()
    sender, recipient = facts.sender, evaluation.recipient
    return (
        (b"request", b"smtpd_access_policy"),
        (b"protocol_state", b"EHLO" if facts.stage is Stage.HELO and more.says_ehlo else facts.stage.value),
        (b"protocol_name", b"ESMTP" if more.esmtp else b"SMTP"),
        (b"client_address", facts.ip),
        (b"client_name", facts.name),
        (b"client_port", more.client_port),
        (b"reverse_client_name", facts.reverse_name),
        (b"server_address", more.server_ip),
        (b"server_port", more.server_port),
        (b"helo_name", evaluation.helo or b""),
        (b"sender", said(sender) if sender else b""),
        (b"recipient", said(recipient) if recipient else b""),
        (b"recipient_count", b"%d" % (facts.accepted if facts.stage in _COUNTED else 0)),
        (b"queue_id", b""),
        (b"instance", more.instance),
        (b"size", b"%d" % more.size),
        (b"etrn_domain", b""),
        (b"stress", b""),
        (b"sasl_method", more.method),
        (b"sasl_username", facts.login),
        (b"sasl_sender", more.login_sender),
        *_of_tls(more.tls or _NO_TLS),
        (b"policy_context", context),
    )


def _of_tls(tls: TlsFacts) -> Attributes:
    """The print of a certificate's key nobody has noted."""
    return (
        (b"ccert_subject", _xtext(common_name(tls.subject))),
        (b"ccert_issuer", _xtext(issuer_name(tls.issuer))),
        (b"ccert_fingerprint", _with_colons(tls.fingerprint)),
        (b"ccert_pubkey_fingerprint", b""),
        (b"encryption_protocol", tls.protocol),
        (b"encryption_cipher", tls.cipher),
        (b"encryption_keysize", b"%d" % tls.bits),
        (b"tls_sni", tls.server_name),
    )


def _xtext(text: bytes) -> bytes:
    return b"".join(b"%c" % byte if byte in _XTEXT else b"+%02X" % byte for byte in text)


def _with_colons(digits: bytes) -> bytes:
    """A fingerprint as Postfix writes it: AB:CD:..."""
    return b":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()
