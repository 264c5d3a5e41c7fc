"""The HDF5 file that holds a scale's training images, the places of their patches, and more.

    train/0/lr          (h, w) uint8, luma of a training image or of a downscaled copy
    train/0/hr          (h * scale, w * scale) uint8; then train/1, train/2 ...
    places              (patches, 3) int32: image, row and column in HR pixels of each patch
    validation/NAME/lr  (h, w) uint8, a whole held-out image
    validation/NAME/hr  (h * scale, w * scale) uint8
    training_images     names of the images that the patches are from

Overlapping patches would take several times the room of their images. So each image lies there
once, contiguous and uncompressed, and a patch is cut when it is asked for. The file's attributes
tell how it came about, and `image` of train/0 which image that is. Nothing of one image, copies
included, is on both sides of the split.
"""

FORMAT = 3
PLANE, PLACE = "<u1", "<i4"  # the types of pixels and of places


def read_patch(size: int, scale: int) -> str:
    """Three lines of Python that read patch `i` from the open h5py file `file`.

    They stand in the file's attribute `read_patch`, for whoever reads it without this project.
    """
    low = size // scale
    return (
        'image, row, column = file["places"][i].tolist()\n'
        f'lr = file[f"train/{{image}}/lr"]'
        f"[row // {scale} : row // {scale} + {low}, column // {scale} : column // {scale} + {low}]"
        "\n"
        f'hr = file[f"train/{{image}}/hr"][row : row + {size}, column : column + {size}]\n'
    )
