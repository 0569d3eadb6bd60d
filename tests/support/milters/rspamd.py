"""Debian's rspamd: one proxy that speaks milter and scans itself, with rules of a test's own, Redis, and no DNS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..ports import free_port
from ..programs import theirs
from ..redisserver import RedisServer
from .daemon import daemon
from .dkim import SELECTOR, Key

#: What every rspamd refuses. Written apart, so that no filter takes this file for it.
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
#: Scores of messages with these subjects: the first is greylisted, the others have a header or another subject.
SCORES = {"five points": 5, "seven points": 7, "nine points": 9}

_CONFIGURATION = """\
lua = "%(folder)s/rspamd.lua";
options {
  filters = "dkim";
  url_tld = "/dev/null";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
  local_addrs = [];
  control_socket = "%(folder)s/rspamd.control mode=0600";
  cache_file = "%(folder)s/rspamd.cache";
  tempdir = "%(folder)s";
  disable_hyperscan = true;
}
lang_detection { languages = "/nonexistent"; }
logging { type = "console"; level = "info"; }
actions { reject = 15; rewrite_subject = 8; add_header = 6; greylist = 4; }
worker "rspamd_proxy" {
  bind_socket = "%(place)s";
  milter = yes;
  timeout = 120s;
  upstream "local" { default = yes; self_scan = yes; }
}
modules {
  path = "$PLUGINSDIR/multimap.lua";
  path = "$PLUGINSDIR/milter_headers.lua";
  path = "$PLUGINSDIR/greylist.lua";
  path = "$PLUGINSDIR/dkim_signing.lua";
}
redis { servers = "%(redis)s"; }
greylist { whitelist_symbols = ["POINTS_7", "POINTS_9"]; }
dkim { }
dkim_signing {
  path = "%(key)s";
  selector = "%(selector)s";
  sign_authenticated = true;
  sign_local = false;
  allow_username_mismatch = true;
  use_esld = false;
}
milter_headers {
  use = ["x-spamd-result", "authentication-results"];
  skip_local = false;
  skip_authenticated = false;
}
multimap {
%(rules)s
}
"""
_RULE = 'POINTS_{score} {{ type = "header"; header = "subject"; map = "{file}"; regexp = true; score = {score}; }}'

#: Writes what rspamd knows of a message's sender into the log, and does with some subjects what no score does.
_LUA = """\
require "global_functions" ()
local logger, ucl = require "rspamd_logger", require "ucl"

local function addresses(found)
  local told = {}
  for number, one in ipairs(found or {}) do told[number] = one.addr end
  return told
end

rspamd_config:register_symbol{name = "SEEN", callback = function(task)
  local seen = {
    ip = tostring(task:get_ip()), name = task:get_hostname(), helo = task:get_helo(), user = task:get_user(),
    queue_id = task:get_queue_id(), sender = addresses(task:get_from("smtp"))[1],
    recipients = addresses(task:get_recipients("smtp")), subject = task:get_subject(),
  }
  for key, header in pairs{mta = "MTA-Name", tls = "TLS-Version", cipher = "TLS-Cipher"} do
    local value = task:get_request_header(header)
    seen[key] = value and tostring(value)
  end
  logger.infox(task, "seen by a rule: %s", ucl.to_format(seen, "json-compact"))
end}

local replies = {
  ["throw away"] = {reject = "discard"},
  ["hold back"] = {reject = "quarantine"},
  ["go elsewhere"] = {
    change_from = "<other@example.net>", add_rcpt = {"<two@example.org>"}, del_rcpt = {"<r@example.org>"},
  },
}
rspamd_config:register_symbol{name = "SUBJECT", type = "prefilter", callback = function(task)
  local reply = replies[task:get_subject()]
  if reply then task:set_milter_reply(reply) end
  if reply and reply.reject then task:set_pre_result("reject", "never said") end
end}
"""
_SEEN = "seen by a rule: "


class Rspamd(NamedTuple):
    """A running one. service: as a list names it. said: its log."""

    service: str
    said: Path

    def seen(self) -> list[dict[str, Any]]:
        """What it has known of the sender of each message, those it refused by themselves left out."""
        told = (line.partition(_SEEN)[2] for line in self.said.read_text(errors="replace").splitlines())
        return [json.loads(line) for line in told if line]


@contextmanager
def rspamd(folder: Path, redis: RedisServer, key: Key) -> Iterator[Rspamd]:
    """Run rspamd on a port, as it comes; it keeps what it greylists in Redis. key: signs for who is logged in."""
    ip, port, configuration = redis.ip, free_port(redis.ip), folder / "rspamd.conf"
    values = {
        "folder": folder,
        "key": key.file,
        "selector": SELECTOR,
        "place": f"{ip}:{port}",
        "redis": f"{ip}:{redis.port}",
        "rules": "\n".join(_rules(folder)),
    }
    configuration.write_text(_CONFIGURATION % values)
    (folder / "rspamd.lua").write_text(_LUA)
    with daemon((theirs("rspamd"), "-f", "-i", "-c", str(configuration)), (ip, port), folder) as said:
        yield Rspamd(f"inet:{ip}:{port}", said)


def _rules(folder: Path) -> Iterator[str]:
    for subject, score in SCORES.items():
        file = folder / f"{score}.map"
        file.write_text(f"/^{subject}$/\n")
        yield _RULE.format(score=score, file=file)
