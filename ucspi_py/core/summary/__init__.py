"""The logs of our programs, summed up: lines -> events -> totals -> a report. Never reads a file."""
