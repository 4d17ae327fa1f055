"""Erases one person from everything that is ours (Art. 17 DSGVO); see :mod:`vmh_sync.erasure.run`."""
