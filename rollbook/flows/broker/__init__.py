"""Rollbook as one OpenID Connect provider: who may take sign-ins from it, who is in where, what it gives out, and who hears that it is over."""
