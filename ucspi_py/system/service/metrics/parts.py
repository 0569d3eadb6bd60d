"""The parts that count in a worker, imported while we may still read whatever root may. Never counts."""

from ....core.service.settings import ServerSettings


def import_libraries(settings: ServerSettings) -> None:
    """Import what workers will need to count; they can import nothing once root is given up."""
    from . import metered  # noqa: F401

    gate = settings.program.gate
    if gate:
        from . import counted_session  # noqa: F401
    if gate and gate.logins:
        from . import counted_logins  # noqa: F401
    if settings.any_tls:
        from . import counted_tls  # noqa: F401
    if settings.log_form != "djb":
        from ...metrics import counted_events  # noqa: F401
