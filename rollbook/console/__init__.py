"""The console: server-rendered pages for operators. It translates requests into reads and verbs, and decides nothing but who may ask."""
