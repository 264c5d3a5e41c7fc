"""The layout of a patch file (HDF5): the training images of a scale and the places of patches.

    train/0/lr          (h, w) uint8, luma of a training image or of a downscaled copy
    train/0/hr          (h * scale, w * scale) uint8; then train/1, train/2 ...
    places              (patches, 3) int32: image, row and column in HR pixels of each patch
    validation/NAME/lr  (h, w) uint8, a whole held-out image
    validation/NAME/hr  (h * scale, w * scale) uint8
    training_images     names of the images from which the patches come

Overlapping patches would need several times the space of their images. So each image is stored
once, contiguous and uncompressed, and a patch is cut when it is needed. The file's attributes tell
how the file was made; the attribute `image` of train/0 names its image. An image and its copies
are never on both sides of the split.
"""

FORMAT = 3  # the number of this layout; files with another number are refused
PLANE, PLACE = "<u1", "<i4"  # the types of pixels and of places


def read_patch(size: int, scale: int) -> str:
    """Three lines of Python that read patch `i` from the open h5py file `file`.

    The file has them in its attribute `read_patch`, for readers without this project.
    """
    low = size // scale
    return (
        'image, row, column = file["places"][i].tolist()\n'
        f'lr = file[f"train/{{image}}/lr"]'
        f"[row // {scale} : row // {scale} + {low}, column // {scale} : column // {scale} + {low}]"
        "\n"
        f'hr = file[f"train/{{image}}/hr"][row : row + {size}, column : column + {size}]\n'
    )
