"""All of Dagster but what is one entity's own: job factory, resources, run configuration, code server, run workers."""
