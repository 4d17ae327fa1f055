"""One employee's calendar on its way through a pass, and how the pass ended for it."""
