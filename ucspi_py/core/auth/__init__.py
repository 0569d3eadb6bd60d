"""Whether a client is who it says: SASL mechanisms, credentials, and what whoever checks them says."""
