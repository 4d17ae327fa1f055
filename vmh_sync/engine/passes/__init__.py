"""What a pass is made of: its context, its steps, its parts, the plan that a person approved."""
