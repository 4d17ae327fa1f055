"""Plans that a person looks at: stored ones, and what a pass would do."""
