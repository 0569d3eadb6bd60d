"""The gate: what the operator asked of it, who may relay, and what it logs. Decides."""
