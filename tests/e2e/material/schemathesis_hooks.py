"""What schemathesis does not know by itself: a component is bytes like any others."""

from hypothesis import strategies
import schemathesis

schemathesis.serializer.alias("application/wasm", "application/octet-stream")
schemathesis.openapi.media_type("application/wasm", strategies.binary(max_size=256))
