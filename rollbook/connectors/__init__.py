"""Other systems: one module a kind of connection, and the list of them. Knows no database; what it fetches goes the road of any delivery."""

from rollbook.connectors.contract import Connector
from rollbook.connectors.folder import FOLDER
from rollbook.connectors.oneroster_rest import ONEROSTER_REST
from rollbook.connectors.own_folder import OWN_FOLDER
from rollbook.connectors.partner_listing import PARTNER_LISTING
from rollbook.connectors.sftp_drop import SFTP_DROP
from rollbook.connectors.sftp_pull import SFTP_PULL

CONNECTORS: dict[str, Connector] = {
    connector.kind: connector for connector in (SFTP_DROP, SFTP_PULL, ONEROSTER_REST)
}

SOURCES: dict[str, Connector] = {
    connector.kind: connector
    for connector in (FOLDER, OWN_FOLDER, SFTP_PULL, ONEROSTER_REST, PARTNER_LISTING)
}
"""What a product's directory can be kept in step with."""
