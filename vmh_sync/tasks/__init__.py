"""Manual tasks: what the machine cannot do itself is put on a person's list in EspoCRM."""
