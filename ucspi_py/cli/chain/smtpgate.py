"""pysmtpgate alone, under any server that speaks UCSPI."""

from collections.abc import Mapping
from typing import Any

import click

from ...core.errors import AskedWrongly
from ...system.process.rlimits import SoftLimits
from ...system.standalone import chain
from .. import djb_click
from . import program, smtpgate_options


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pysmtpgate. soft_limits: those that softlimit in front of us meant for the program behind, in bytes."""
    djb_click.run("smtpgate", smtpgate_options.USAGE, lambda args: _gate(args, soft_limits))


def _gate(args: list[str], soft_limits: SoftLimits) -> None:
    with djb_click.context(smtpgate_options.smtpgate, program.SMTPGATE, args) as ctx:
        words = ctx.params
        if words["makes_map"] or words["query"] is not None:
            _work_on_map(words)
        elif words["spamdyke"] is not None:
            _import(ctx)
        elif words["check"]:
            from . import smtpgate_check  # not for each client

            smtpgate_check.check(ctx)
        else:
            chain.run(program.read_options(program.SMTPGATE, args), soft_limits)


def _import(ctx: click.Context) -> None:
    from . import smtpgate_import  # not for each client

    words = ctx.params
    if words["program"] or any(
        words[name] for name in ("file", "options", "service", "check", "dry_run", "user", "group")
    ):
        raise AskedWrongly("--import-spamdyke takes one file, and no other option beside it")
    smtpgate_import.import_spamdyke(ctx, words["spamdyke"])


def _work_on_map(words: Mapping[str, Any]) -> None:
    from . import smtpgate_maps  # not for each client

    key, name = words["query"], words["program"]
    alone = not (
        words["file"] or words["options"] or words["service"] or words["check"] or words["dry_run"] or words["user"]
    )
    if len(name) != 1 or words["makes_map"] == (key is not None) or not alone:
        raise AskedWrongly("--query KEY and --map take one table, and no other option beside them")
    if key is None:
        smtpgate_maps.make(name[0])
    else:
        smtpgate_maps.query(key, name[0])
