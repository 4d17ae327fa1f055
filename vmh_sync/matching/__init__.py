"""Whether two records stand for the same person or company. Pure: no I/O, no framework, no names of the two sides.

One matcher serves the look before a single create (:mod:`vmh_sync.beteiligte.twins.twin_search`), first contact of two
whole sides (:mod:`vmh_sync.first_contact`) and the import.
"""
