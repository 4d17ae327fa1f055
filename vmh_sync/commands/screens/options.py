"""Options that several commands have, each with the same words."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Genau ein JSON-Objekt ausgeben.")]
Values = Annotated[bool, typer.Option("--values", help="Auch die Werte zeigen (personenbezogene Daten).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Nur zeigen, was geschrieben würde.")]
ShowValues = Annotated[bool, typer.Option("--show-values", help="Im Probelauf auch die Werte zeigen.")]
Save = Annotated[bool, typer.Option("--save", help="Den Plan des Probelaufs speichern, für `vmh-sync plan apply`.")]
Allow = Annotated[bool, typer.Option("--allow-mass-change", help="Freigabe nach einem Halt wegen Massenänderung.")]
Whom = Annotated[str, typer.Argument(metavar="WAS", help="EspoCRM-ID, betnr oder Name eines Beteiligten.")]
