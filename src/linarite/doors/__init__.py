"""What the keys open: blobs, images, telemetry. Each door is a package of its own that asks its questions at a desk.

`clerks` answer them, `house` opens and closes all doors of an instance and tells them what changed.
"""
