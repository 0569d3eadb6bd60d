r"""The SMTP dialogue with a refused client (rblsmtpd.c): client bytes -> reply bytes. Pure: no socket is touched.

Refuse: the verdict, code 451 (temporary) or 553 (permanent), and its text. RefusalDialogue: send greeting(), then what
receive() returns, and close once it is finished.

>>> dialogue = RefusalDialogue(Refuse(553, b"192.0.2.7 is listed in bl.example.org"))
>>> dialogue.greeting()
b'220 rblsmtpd.local\r\n'
>>> dialogue.receive(b"EHLO client.example.org\r\nMAIL FROM:<>\r\nRCPT TO:<us@exam")
b'250 rblsmtpd.local\r\n250 rblsmtpd.local\r\n'
>>> dialogue.receive(b"ple.org>\r\nQUIT\r\n")
b'553 192.0.2.7 is listed in bl.example.org\r\n221 rblsmtpd.local\r\n'
>>> dialogue.finished
True
"""

from .core.smtp.refusal import RefusalDialogue
from .core.smtp.verdict import Refuse

__all__ = ["RefusalDialogue", "Refuse"]
