"""Those who work in the console sign in by a service of their district's or organization's own: it is set up, and they come by it."""
