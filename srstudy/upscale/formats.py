"""The formats that photographs are written in, and what each of them holds."""

WRITTEN = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# By the names that `--format` has; the first suffix is the one that is given to files.
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
