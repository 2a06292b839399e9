"""The native dialect: OAuth 2.1 and OpenID Connect as their specifications spell them, nothing added."""
