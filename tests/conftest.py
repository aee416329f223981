"""What all tests share: one Hypothesis profile, with and without `CI` in the environment."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Without it Hypothesis takes a profile of its own where CI is set and another one elsewhere, so CI would not
# see what a newcomer sees. `too_slow` measures the machine: the first draw of text builds tables that are not
# cached yet. Draws follow from the test's name, so that a failure in CI is a failure here.
settings.register_profile(
    "studio",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("studio")
