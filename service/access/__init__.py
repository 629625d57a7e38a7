"""Who may use the service: API keys with roles, how often each may ask, and which web pages may."""
