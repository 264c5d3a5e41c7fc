"""The formats in which photographs are written, and what each format can store."""

WRITTEN = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# The values of `--format`, with their suffixes; files get the first suffix.
FORMATS = {
    "png": (".png",),
    "jpg": (".jpg", ".jpeg"),
    "webp": (".webp",),
    "tiff": (".tiff", ".tif"),
}
HOLDS_ALPHA = (".png", ".webp", ".tif", ".tiff")
HOLDS_16_BITS = (".png", ".tif", ".tiff")
HAS_QUALITY = (".jpg", ".jpeg", ".webp")
LONGEST = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}  # side, in pixels
