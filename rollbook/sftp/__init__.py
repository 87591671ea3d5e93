"""The SFTP door: an inbox for each drop connection, into which files can be put and from which none can be read; and for each app that
fetches them its packages, which can be read and nothing else.
"""
