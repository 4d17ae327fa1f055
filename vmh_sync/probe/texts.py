"""What the probe itself writes: easily recognised by a person, and no value of the firm."""

TEXT = "vmh-sync Probe"
NOBODY = "vmh-sync-probe-5f2c"
"""A text that no party holds: a search that finds something with it does not search."""
PHONE = "+49 511 5550100"
PHONE_AFTERWARDS = "+49 511 5550199"
PHONE_NATIONAL = "0511 5550100"
EMAIL, EMAIL_AFTERWARDS = "vmh-sync-probe@example.org", "vmh-sync-probe-2@example.org"
STREET, STREET_AFTERWARDS = "Probeweg 1", "Probeweg 2"
HTML = "<b>vmh-sync</b> Probe<br><ul><li>eins</li></ul>"
EVENT_PREFIX = "vmhprobe"
"""How the ids of our events in Google begin."""
IBAN = "DE02120300000000202051"
"""A published example with a right check sum."""
BIC = "BYLADEM1001"
OWN_WORDS = frozenset(
    {
        TEXT,
        *(f"{TEXT} {number}" for number in (2, 3, 4)),
        20 * TEXT,
        NOBODY,
        PHONE,
        PHONE_AFTERWARDS,
        PHONE.replace(" ", ""),
        PHONE_NATIONAL,
        EMAIL,
        EMAIL_AFTERWARDS,
        "1980-05-17",
        "Mobile",
        HTML,
        "1",
        "none",
        STREET,
        STREET_AFTERWARDS,
        IBAN,
        BIC,
        "30159",
        "30161",
        "Hannover",
        "Hannover-Probe",
        "Sonstige",
        "GbR",
        "Frau",
        "Herr",
        "Prof.",
        "Dr.",
    }
)
"""Texts that a recording may show as they are."""
