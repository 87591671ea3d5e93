"""Signing in by somebody else's OpenID Connect provider: what it says of itself, its keys, the way there and back, and its tokens.

It proves what a provider said, and knows nobody. Sources: OpenID Connect Core 1.0, Discovery 1.0; RFC 7636 (PKCE), RFC 9700 (best practice).
"""
