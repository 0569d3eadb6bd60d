"""Expressions of others, POSIX or Perl, translated for re. Decides."""
