"""The configuration of spamdyke 5 -> that of the gate, and all that the gate cannot say, with its line. Decides."""
