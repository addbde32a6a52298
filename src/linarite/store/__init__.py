"""What is kept: tables, the one way in (the gate), and what is remembered of it. Knows no rules and no HTTP."""
