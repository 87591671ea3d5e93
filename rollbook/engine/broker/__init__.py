"""What Rollbook, as a provider of OpenID Connect, tells a client of somebody. Nothing here decides who somebody is."""
