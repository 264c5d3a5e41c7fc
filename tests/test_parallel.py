import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from srstudy.common.errors import InputError
from srstudy.datasets.parallel import UNDER_WAY, ordered_map
from srstudy.imagefiles.reading import read_image
from srstudy.imagefiles.silence import silently


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.05 if item % 4 == 0 else 0)
        return item * item

    assert list(ordered_map(slow_first, range(30), 4)) == [item * item for item in range(30)]


def test_only_a_few_items_are_started_ahead_of_the_requested_result() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(200):
            taken.append(item)
            yield item

    for done, _ in enumerate(ordered_map(str, items(), 2), start=1):
        assert len(taken) <= done + UNDER_WAY * 2 + 1
    assert len(taken) == 200


def test_several_items_are_processed_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)
    list(ordered_map(lambda _: together.wait(), range(3), 3))


def test_error_of_an_item_is_raised_instead_of_its_result_and_no_further_item_is_started() -> None:
    begun = []

    def fails_at_five(item: int) -> int:
        begun.append(item)
        if item == 5:
            raise InputError("images/5.png: is not an image")
        time.sleep(0.01)
        return item

    results = []
    with pytest.raises(InputError, match=r"^images/5\.png: is not an image$"):
        results += [result for result in ordered_map(fails_at_five, range(500), 2) if result < 9]
    assert len(begun) <= 6 + UNDER_WAY * 2 + 2


def test_warnings_are_kept_back_in_all_threads_and_come_again_afterwards() -> None:
    filters = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def stays_longer() -> None:
        with silently():
            entered.set()
            assert leave.wait(30)
            warnings.warn("of the second thread", UserWarning, stacklevel=1)

    second = threading.Thread(target=stays_longer)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with silently():
            second.start()
            assert entered.wait(30)
        leave.set()
        second.join(30)
        warnings.warn("after both", UserWarning, stacklevel=1)
    assert [str(one.message) for one in told] == ["after both"]
    assert warnings.filters == filters


def test_images_read_in_threads_equal_images_read_one_by_one(
    tmp_path: Path, photo: np.ndarray
) -> None:
    from srstudy.imagefiles.png import write_png

    paths = [tmp_path / f"{number}.png" for number in range(24)]
    for number, path in enumerate(paths):
        write_png(path, np.roll(photo, number, axis=0))
    for one, other in zip(ordered_map(read_image, paths, 4), map(read_image, paths), strict=True):
        np.testing.assert_array_equal(one, other)
