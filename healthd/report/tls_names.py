"""Whether the certificate of the web server is for the name by which others reach it, as a client judges that."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

OTHER_NAME, OTHER_ADDRESS = 62, 64  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
MOST_MESSAGES = 4  # of a handshake, from each side


def is_for(host: str, context: ssl.SSLContext, certificate: Path) -> bool:
    """Return whether a client that asks for a host accepts the names of a certificate, whatever else it thinks of it.

    `context` is the server's, with this certificate.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client.load_verify_locations(certificate)
        ends = (
            client.wrap_bio(to_client, to_server, server_hostname=host),
            context.wrap_bio(to_server, to_client, server_side=True),
        )
        for end in ends * MOST_MESSAGES:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return error.verify_code not in (OTHER_NAME, OTHER_ADDRESS)
    except (OSError, ValueError):  # the files change, or the name is none that a certificate can have
        return True
    return True
