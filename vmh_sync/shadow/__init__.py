"""Shadow operation: for weeks beside the old system, both sides are read and planned, and nothing is written.

Each day's differences are kept without values (:mod:`vmh_sync.shadow.days`), so that a report can say which of them the
old system has settled meanwhile and which stand.
"""
