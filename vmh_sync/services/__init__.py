"""The servers and folders that the embedded default keeps for itself: Valkey, Dagster's home."""
