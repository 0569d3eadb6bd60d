"""djb's tcpserver, tcprules, tcprulescheck and rblsmtpd in Python: core decides, system does, cli speaks."""

__version__ = "0.8.0"
