"""Cyrus SASL's smtpd.conf, found and read. Never decides what it means."""

from ...core.auth.smtpd_conf import SmtpdConf, paths, smtpd_conf
from ...core.errors import AskedWrongly, CorruptRules, Failure, unable
from ..rules.whole_file import open_regular

#: A file of a few lines; config.c takes any number of them.
_LIMIT = 1 << 16


def find(config_path: str, name: str) -> SmtpdConf:
    """Read the first file that is there of those of core's paths().

    Raises AskedWrongly where there is none or where it says what is not known here, Failure where it cannot be read.
    """
    candidates = paths(config_path, name)
    for path in candidates:
        try:
            with open_regular(path) as file:
                text = file.read(_LIMIT + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unable(f"read {path}", error) from None
        except CorruptRules as failure:
            raise Failure(f"unable to read {path}: {failure.sentence}") from None
        if len(text) > _LIMIT:
            raise AskedWrongly(f"{path}: no smtpd.conf has more than {_LIMIT} bytes")
        return smtpd_conf(path, text.decode("utf-8", "surrogateescape"))
    raise AskedWrongly(f"smtpd_sasl_type cyrus needs a file {name}.conf, and there is none of {', '.join(candidates)}")
