"""What holds for all tests: hypothesis measures no time, because a busy machine is no fault of ours."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("patient")
