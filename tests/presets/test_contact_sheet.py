"""Sheets: where cells lie, what is written to disk, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.files.disks import full_disk, locked_folder
from visualizer.errors import BadInput, VisualizerError
from visualizer.files.output_file import check_output_path
from visualizer.presets.contact_sheet import MAX_SHAPE, SUFFIXES, Cell, cell_size, draw_sheet, grid_of, save_sheet

COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (200, 40, 200)]


def cells(n, size=(96, 54), word="word"):
    flat = [np.full((size[1], size[0], 3), COLOURS[i % len(COLOURS)], np.uint8) for i in range(n)]
    return [Cell(f"cell {i}", word, picture) for i, picture in enumerate(flat)]


def boxes(sheet, colour):
    """Left, top, right, bottom of every upright rectangle of a colour, in reading order."""
    mask = (sheet == np.array(colour)).all(axis=2)
    found = []
    for top in range(len(mask)):
        for left in np.flatnonzero(mask[top] & ~np.roll(mask[top], 1)):
            if top and mask[top - 1, left]:
                continue
            right = left + np.argmin(np.append(mask[top, left:], False))
            bottom = top + np.argmin(np.append(mask[top:, left], False))
            if right - left > 20:
                found.append((left, top, int(right), int(bottom)))
    return found


@given(st.integers(1, 41), st.floats(1 / MAX_SHAPE, MAX_SHAPE))
def test_a_grid_has_a_place_for_every_cell_and_no_empty_row(n_cells, shape):
    grid = grid_of(n_cells, shape)
    n_places = n_cells - 1 + grid.span**2
    assert grid.span <= min(grid.n_columns, grid.n_rows)
    assert 0 <= grid.n_columns * grid.n_rows - n_places < max(grid.n_columns, 2)


@pytest.mark.parametrize(("n_cells", "shape"), [(16, 16 / 9), (21, 16 / 9), (21, 3 / 4), (13, 16 / 9), (18, 16 / 9)])
def test_the_usual_sheets_leave_no_place_empty(n_cells, shape):
    grid = grid_of(n_cells, shape)
    assert grid.n_columns * grid.n_rows == n_cells - 1 + grid.span**2
    assert grid.n_columns >= grid.n_rows


@pytest.mark.parametrize("n_cells", [1, 2, 5, 16, 21])
def test_cells_are_of_one_size_with_even_gutters(n_cells):
    sheet = draw_sheet("picture.jpg", "a remark", cells(n_cells), (96, 54))
    found = sorted(box for colour in COLOURS for box in boxes(sheet, colour))
    assert len(found) == n_cells
    sizes = {(right - left, bottom - top) for left, top, right, bottom in found}
    small = {size for size in sizes if size == (96, 54)}
    assert len(sizes) <= 2 and (small or n_cells == 1)
    lefts, tops = ({box[side] for box in found} for side in (0, 1))
    for places in (lefts, tops):
        assert len(set(np.diff(sorted(places)))) <= 1
    assert min(lefts) == sheet.shape[1] - max(box[2] for box in found)  # margins


def test_labels_stand_below_their_cells_and_inside_their_width():
    sheet = draw_sheet("picture.jpg", "", cells(4), (96, 54)).astype(int)
    left, _, right, bottom = boxes(sheet, COLOURS[3])[0]
    below = sheet[bottom + 2 : bottom + 30, left:right]
    assert below.max() > 200 and (below.max(axis=2) < 60).mean() > 0.5
    gutter = sheet[bottom + 2 : bottom + 30, right + 1 : right + 8]
    assert gutter.max() < 60


def test_long_names_and_letters_the_font_lacks_stay_in_their_place():
    long = [Cell("block" * 30, "猫 \x1b[31m word " * 9, cell.picture) for cell in cells(4)]
    sheet = draw_sheet("Ж猫\n" * 90, "remark" * 90, long, (96, 54)).astype(int)
    edge = np.concatenate([sheet[:, :8].reshape(-1, 3), sheet[:, -8:].reshape(-1, 3)])
    assert edge.max() < 60


def test_accents_fall_back_on_their_letters():
    sheets = [draw_sheet(title, "", cells(1), (96, 54)) for title in ("Zurich.jpg", "Zürich.jpg", "Zu\u0308rich.jpg")]
    assert (sheets[1] == sheets[2]).all()
    assert (sheets[0] == draw_sheet("Zurich.jpg", "", cells(1), (96, 54))).all()
    assert sheets[1].shape == sheets[0].shape and (sheets[1] != draw_sheet("Z?rich.jpg", "", cells(1), (96, 54))).any()


def test_a_larger_picture_is_shown_at_the_size_of_its_cell():
    sheet = draw_sheet("x", "", cells(4, size=(192, 108)), (96, 54))
    found = [box for colour in COLOURS for box in boxes(sheet, colour)]
    assert {(right - left, bottom - top) for left, top, right, bottom in found} == {(96, 54)}


def test_a_sheet_beyond_all_screens_is_refused():
    with pytest.raises(BadInput, match=r"--size"):
        draw_sheet("x", "", cells(40, size=(8, 8)), (4000, 4000))


@pytest.mark.parametrize(
    ("size", "box", "wanted"),
    [
        ((640, 360), (320, 320), (320, 180)),
        ((360, 640), (320, 320), (180, 320)),
        ((1, 1), (300, 200), (200, 200)),
        ((30000, 3), (400, 300), (400, 100)),
        ((3, 3000), (400, 300), (76, 300)),
    ],
)
def test_a_cell_keeps_the_pictures_shape_within_reason(size, box, wanted, tmp_path):
    Image.new("L", size).save(tmp_path / "x.png")
    assert cell_size(tmp_path / "x.png", box) == wanted


def test_a_sideways_phone_picture_is_measured_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (640, 360)).save(tmp_path / "x.jpg", exif=exif)
    assert cell_size(tmp_path / "x.jpg", (320, 320)) == (180, 320)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
def test_what_is_written_can_be_read(suffix, tmp_path):
    sheet = draw_sheet("x", "", cells(4), (96, 54))
    path = check_output_path(tmp_path / f"sheet{suffix}", SUFFIXES)
    save_sheet(path, sheet)
    seen = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert np.abs(seen - sheet).mean() < 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_older_sheet_is_replaced_through_a_link(tmp_path):
    (tmp_path / "real.png").write_text("old")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    save_sheet(check_output_path(tmp_path / "link.png", SUFFIXES), draw_sheet("x", "", cells(1), (96, 54)))
    assert (tmp_path / "link.png").is_symlink() and Image.open(tmp_path / "real.png").format == "PNG"


@pytest.mark.parametrize("name", ["sheet.gif", "sheet", "no/sheet.png", "folder.png", "a\0b.png", "x" * 300 + ".png"])
def test_names_that_cannot_be_written_are_refused(name, tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadInput) as told:
        check_output_path(tmp_path / name, SUFFIXES)
    assert "\n" not in str(told.value)


def test_a_read_only_folder_is_refused():
    with locked_folder() as folder, pytest.raises(BadInput, match="cannot be written to"):
        check_output_path(folder / "x.png", SUFFIXES)


def test_a_full_disk_is_one_line_and_leaves_the_old_sheet(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    with full_disk(tmp_path, 200_000) as folder:
        (folder / "x.png").write_text("old")
        with pytest.raises(VisualizerError, match=r"x\.png could not be written") as told:
            save_sheet(folder / "x.png", noise)
        assert "\n" not in str(told.value)
        assert [file.name for file in folder.iterdir()] == ["x.png"] and (folder / "x.png").read_text() == "old"
