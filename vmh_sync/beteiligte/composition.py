"""The parts of a party, in the order in which they are synced after the master data."""

from vmh_sync.adressen.part import PART as ADRESSEN
from vmh_sync.bankverbindungen.part import PART as BANKVERBINDUNGEN
from vmh_sync.engine.passes.part import Part
from vmh_sync.kommunikation.part import KommunikationPart

PARTS: tuple[Part, ...] = (KommunikationPart(), ADRESSEN, BANKVERBINDUNGEN)
