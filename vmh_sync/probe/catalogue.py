"""Every assumption about every system, by its key."""

from vmh_sync.probe.assumptions import ASSUMPTIONS

BY_KEY = {assumption.key: assumption for assumption in ASSUMPTIONS}
