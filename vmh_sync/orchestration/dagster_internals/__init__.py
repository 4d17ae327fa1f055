"""The only place that names private modules of Dagster: what has no public name and what we cannot do without.

Modules, by what importing them costs beyond ``import dagster``: ``core`` next to nothing, ``client`` gRPC, ``sqlite`` a
quarter of a second, ``server`` and ``preloaded`` what a server needs. Whatever can be had from ``dagster`` itself does
not belong here. ``unit/orchestration/test_dagster_internals.py`` says of each name what breaks when an upgrade changes
it.
"""
