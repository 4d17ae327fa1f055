"""The ways in which anything is written: created once, compared before, guarded, taken back."""
