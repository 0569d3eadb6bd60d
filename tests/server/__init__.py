"""pytcpserver and pyrblsmtpd as processes under real clients."""
