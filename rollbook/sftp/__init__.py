"""The SFTP door: an inbox for each drop connection, into which files can be put and from which none can be read."""
