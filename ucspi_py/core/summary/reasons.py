"""The words of a refusal -> the reason they have in common, and the restriction that says them. Never counts."""

import re

_DETAIL = re.compile(rb"^[245]\.\d{1,3}\.\d{1,3} +")
_SUBJECT = re.compile(rb"^<[^>]*>: +")
#: Behind these begins what differs from client to client.
_OWN = re.compile(rb"[;\[({]|https?:|, see |, \d+ ")
_ADDRESS = re.compile(rb"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?![\w:])")
_NUMBER = re.compile(rb"\d+")
_BLOCKED = re.compile(rb"blocked using ([^ ;,]+)")
_LONGEST = 80

#: Postfix's words for who has decided (smtpd_check.c), and ours where a list of the gate has one of its own.
_RESTRICTIONS = (
    (b"blocked using", b"reject_rbl_client"),
    (b"Greylisted", b"check_greylist"),
    (b"Relay access denied", b"reject_unauth_destination"),
    (b"cannot find your reverse hostname", b"reject_unknown_reverse_client_hostname"),
    (b"cannot find your hostname", b"reject_unknown_client_hostname"),
    (b"Helo command rejected: Host not found", b"reject_unknown_helo_hostname"),
    (b"Helo command rejected: need fully-qualified", b"reject_non_fqdn_helo_hostname"),
    (b"Helo command rejected: Invalid name", b"reject_invalid_helo_hostname"),
    (b"Helo command rejected: invalid ip address", b"reject_invalid_helo_hostname"),
    (b"Sender address rejected: Domain not found", b"reject_unknown_sender_domain"),
    (b"Sender address rejected: need fully-qualified", b"reject_non_fqdn_sender"),
    (b"Sender address rejected: not ", b"reject_sender_login_mismatch"),
    (b"Sender address rejected: User unknown", b"reject_unlisted_sender"),
    (b"Recipient address rejected: Domain not found", b"reject_unknown_recipient_domain"),
    (b"Recipient address rejected: need fully-qualified", b"reject_non_fqdn_recipient"),
    (b"rejected: User unknown", b"reject_unlisted_recipient"),
    (b"Improper use of SMTP command pipelining", b"reject_unauth_pipelining"),
    (b"Multi-recipient bounce", b"reject_multi_recipient_bounce"),
    (b"Client host rejected: Access denied", b"check_client_access, reject"),
    (b"Helo command rejected: Access denied", b"check_helo_access, reject"),
    (b"Sender address rejected: Access denied", b"check_sender_access, reject"),
    (b"Recipient address rejected: Access denied", b"check_recipient_access, reject"),
)


def reason(text: bytes) -> bytes:
    """Name what refusals have in common.

    text: of the reply, without its code. Gone are the enhanced status code, who is meant, addresses and numbers.
    """
    if found := _BLOCKED.search(text):
        return b"blocked using " + found[1][:_LONGEST]
    text = _SUBJECT.sub(b"", _DETAIL.sub(b"", text[:1000]))
    text = _ADDRESS.sub(b"IP", text)
    head = _OWN.split(text, maxsplit=1)[0].rstrip(b" ,.:")
    return (head or text or b"no reason")[:_LONGEST]


def without_numbers(text: bytes) -> bytes:
    """Name what warnings, or words about limits, have in common."""
    return _NUMBER.sub(b"N", _ADDRESS.sub(b"IP", text[:1000]))[:_LONGEST]


def limit(text: bytes) -> bytes:
    """Name a limit that a client is over: without the counts that the words begin with."""
    return without_numbers(text).removeprefix(b"N/N ")


def zone(text: bytes) -> bytes:
    """Name the zone by which a refusal of the gate is; b"" = by none."""
    found = _BLOCKED.search(text)
    return found[1][:_LONGEST] if found else b""


def restriction(text: bytes) -> bytes:
    """Tell which restriction says so; b"" where the words are not known."""
    return next((name for words, name in _RESTRICTIONS if words in text), b"")
