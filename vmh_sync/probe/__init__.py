"""``vmh-sync probe``: tries on the firm's own Advoware what the specification only assumes.

Everything happens on a scratch party that the operator names. What is found out is stored, and the passes obey it
(:mod:`vmh_sync.engine.installation.known_installation`); what was said can be kept as a recording without a single
value of the firm (:mod:`vmh_sync.probe.mask`).
"""
