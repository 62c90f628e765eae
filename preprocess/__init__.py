"""Image in, image and geometry out: decoding, quality, stone faces, rectification, line crops.

Uses numpy and OpenCV (Pillow for headers and HEIC) and nothing else of this project.

Conventions shared by every module here:

* An image is a ``uint8`` array of shape ``(height, width, 3)`` in BGR order, upright (EXIF orientation applied).
* A quad is a ``float32`` array of shape ``(4, 2)``: x, y in pixels, clockwise from the top left corner of the text or
  face. Coordinates are continuous: the centre of the first pixel is (0.5, 0.5).
"""
