"""The rules: their language, their data, which one decides, and what they would change. Decides."""
