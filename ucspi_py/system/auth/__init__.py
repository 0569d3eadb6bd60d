"""Those who check passwords, asked."""
