"""What schemathesis does not know by itself."""

import schemathesis


@schemathesis.deserializer("application/jwt")
def signed_document(context, response):
    """A signed document is text, not JSON."""
    return response.content.decode("ascii")
