"""Reading a whole roster from another OneRoster server, 1.1 or 1.2, tolerant of what servers do, into a package like any other.

`pull` tells the story; `ONEROSTER_REST` is the connector. What was proved of completeness goes with the package as a certificate.
"""

from rollbook.connectors.oneroster_rest.pull import ONEROSTER_REST

__all__ = ["ONEROSTER_REST"]
