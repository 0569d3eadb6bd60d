"""What holds for all tests, however they were started."""

import signal

from hypothesis import HealthCheck, settings

# A busy machine is no fault of ours.
settings.register_profile("patient", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("patient")

# A shell has what it runs in the background ignore SIGINT, and the programs under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
