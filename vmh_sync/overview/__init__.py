"""What stands where at this moment, read for people: commands, the gateway's page and Dagster's checks share it."""
