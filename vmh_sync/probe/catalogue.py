"""Every assumption about every system, by its key."""

from vmh_sync.probe.assumptions import ASSUMPTIONS
from vmh_sync.probe.espocrm_assumptions import ESPOCRM_ASSUMPTIONS
from vmh_sync.probe.google_assumptions import GOOGLE_ASSUMPTIONS

CATALOGUE = (*ASSUMPTIONS, *ESPOCRM_ASSUMPTIONS, *GOOGLE_ASSUMPTIONS)
BY_KEY = {assumption.key: assumption for assumption in CATALOGUE}
