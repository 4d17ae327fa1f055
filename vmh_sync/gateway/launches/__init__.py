"""From events to runs: the durable inbox, the debouncer, the way to Dagster."""
