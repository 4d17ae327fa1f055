"""Hypothesis while mutants are tested: always the same examples, few of them, and no search for a smaller one."""

from hypothesis import Phase, settings

settings.register_profile(
    "mutation", max_examples=20, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("mutation")
