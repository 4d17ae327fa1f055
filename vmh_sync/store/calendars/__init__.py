"""How each employee's calendar stands, which appointment is which event, and which channels ring."""
