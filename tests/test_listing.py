from pathlib import Path

import pytest

from srstudy.common.errors import InputError
from srstudy.imagefiles.listing import list_images


def test_thousands_of_files_are_listed(tmp_path: Path) -> None:
    for number in range(5000):
        (tmp_path / f"{number:04}.png").touch()
    assert len(list_images(tmp_path)) == 5000


def test_images_of_a_folder_are_listed_by_name_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.webp", ".DS_Store"):
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.JPG", "b.png", "c.webp"]


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ((), "holds no file"),
        ((".hidden",), "holds no file"),
        (("a.png", "readme.txt"), "readme.txt: has no image suffix"),
        (("a.png", "folder/"), "folder: is a folder"),
        (("a.jpg", "a.png"), "a.png: has the same stem as a.jpg"),
    ],
)
def test_folder_with_anything_else_is_refused(
    tmp_path: Path, entries: tuple[str, ...], named: str
) -> None:
    for entry in entries:
        (tmp_path / entry).mkdir() if entry.endswith("/") else (tmp_path / entry).touch()
    with pytest.raises(InputError, match=named):
        list_images(tmp_path)


def test_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: there is no such folder"):
        list_images(tmp_path / "nowhere")


def test_link_to_itself_is_listed_and_refused_later(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert list_images(tmp_path) == [loop]
