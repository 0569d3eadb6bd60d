"""What each restriction looks at (smtpd_check.c): one function each, of an Evaluation."""
