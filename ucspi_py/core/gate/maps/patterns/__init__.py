"""regexp and pcre tables: POSIX and Perl expressions as Postfix compiles them, translated to Python's re."""
