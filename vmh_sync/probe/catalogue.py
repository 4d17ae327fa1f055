"""Every assumption about every system, by its key."""

from vmh_sync.probe.assumptions import ASSUMPTIONS
from vmh_sync.probe.espocrm_assumptions import ESPOCRM_ASSUMPTIONS

CATALOGUE = (*ASSUMPTIONS, *ESPOCRM_ASSUMPTIONS)
BY_KEY = {assumption.key: assumption for assumption in CATALOGUE}
