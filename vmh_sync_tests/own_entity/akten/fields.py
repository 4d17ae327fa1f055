"""Its field table."""

from vmh_sync.sync.fields import FieldRule, FieldTable

FIELDS = FieldTable(
    (
        FieldRule("aktenzeichen", "aktenzeichen", "az", "Aktenzeichen"),
        FieldRule("rubrum", "rubrum", "rubrum", "Rubrum"),
        FieldRule("referat", "referat", "referat", "Referat", on_update=False),
    )
)
