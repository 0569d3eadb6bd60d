"""What only tables say of a service, counted before there is room made for it. Never looks at what is wrong there."""

from dataclasses import replace

from ...core.service.settings import ServerSettings


def counted(settings: ServerSettings) -> ServerSettings:
    """Count how many milters a client has at most by smtpd_milter_maps; where there are none, nothing is loaded."""
    gate = settings.program.gate
    if gate is None or gate.milters is None or not gate.milters.maps:
        return settings
    from ..gate.milter import checking

    with_milters = replace(gate, milters=checking.counted(gate.milters))
    return replace(settings, program=replace(settings.program, gate=with_milters))
