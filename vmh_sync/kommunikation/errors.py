"""Why a party's phones and e-mails were left alone; the rest of the party was synced."""

from vmh_sync.systems.errors import ForeignSystemError


class KommunikationLeftAlone(ForeignSystemError):
    """What was read cannot be trusted, so nothing was written (specification, sync-semantics.md 2)."""

    system = "kommunikation"
    retryable = True
    people = "Telefonnummern und E-Mails konnten nicht sicher gelesen werden; es wurde nichts verändert."


class EntryListMissing(KommunikationLeftAlone):
    """Advoware's answer held no list of entries at all."""

    people = (
        "Advoware hat die Telefonnummern und E-Mails nicht mitgeliefert; es wurde nichts verändert. "
        "Der Abgleich wird wiederholt."
    )


class SuspiciousEmpty(KommunikationLeftAlone):
    """A side that held several values reads as empty; believed only when a later run reads the same."""

    people = (
        "Auf einer Seite fehlen plötzlich alle Telefonnummern oder E-Mails dieses Beteiligten. Es wurde nichts "
        "gelöscht. Wenn der nächste Abgleich dasselbe liest, wird die Löschung übernommen; wenn sie nicht gewollt "
        "war, bitte die Werte vorher wieder eintragen."
    )
