from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pen import read_image
from plainnet import InputError
from plainnet.sources.pen.paper import colors_of
from plainnet.sources.pen.placing import placed
from plainnet.sources.picture_files import _check_size, _reduced, layers


def drawing(size=(200, 160), ground=255, ink=0, mode="L"):
    """A thick 7, off center."""
    picture = Image.new(mode, size, ground)
    pen = ImageDraw.Draw(picture)
    pen.line([(30, 20), (90, 20), (55, 110)], fill=ink, width=12, joint="curve")
    return picture


def center(image):
    rows, columns = np.indices(image.shape)
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


def test_made_as_mnist_was(tmp_path):
    drawing().save(tmp_path / "seven.png")
    image = read_image(tmp_path / "seven.png")
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert center(image.astype(float)) == pytest.approx((13.5, 13.5), abs=0.51)
    rows, columns = np.flatnonzero(image.max(axis=1)), np.flatnonzero(image.max(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert image.max() > 250
    assert image[0].max() == 0


FORMS = {
    "light on dark": lambda: drawing(ground=0, ink=255),
    "gray on gray": lambda: drawing(ground=190, ink=60),
    "color": lambda: drawing(ground=(255, 250, 240), ink=(20, 20, 90), mode="RGB"),
    "transparent ground, dark ink": lambda: drawing(ground=(0, 0, 0, 0), ink=(0, 0, 0, 255), mode="RGBA"),
    "transparent ground, light ink": lambda: drawing(ground=(255, 255, 255, 0), ink=(255, 255, 255, 255), mode="RGBA"),
    "one bit": lambda: drawing(ground=1, ink=0, mode="1"),
    "palette": lambda: drawing(ground=(255, 255, 255), ink=(0, 0, 0), mode="RGB").convert("P"),
    "16 bits": lambda: Image.fromarray(np.asarray(drawing()).astype(np.uint16) * 257),
    "large": lambda: drawing().resize((1600, 1280), Image.Resampling.NEAREST),
    "moved": lambda: drawing(size=(400, 300)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_drawing_in_any_form_gives_nearly_the_same_image(tmp_path, form):
    drawing().save(tmp_path / "plain.png")
    FORMS[form]().save(tmp_path / "form.png")
    expected, image = read_image(tmp_path / "plain.png").astype(float), read_image(tmp_path / "form.png").astype(float)
    assert np.abs(image - expected).mean() < 6


def test_a_photograph_is_turned_as_its_camera_was(tmp_path):
    drawing().save(tmp_path / "plain.png")
    lying, turned = drawing().rotate(90, expand=True), Image.Exif()
    turned[0x0112] = 6  # to be shown turned clockwise by a quarter
    lying.save(tmp_path / "lying.png", exif=turned)
    np.testing.assert_array_equal(read_image(tmp_path / "lying.png"), read_image(tmp_path / "plain.png"))


def test_mnist_images_stay_nearly_what_they_are(digits):
    """A digit of MNIST, normalized again, is the same digit: within the rounding of its position."""
    for original in digits.train.images[:20]:
        again = placed(original / 255).astype(float)
        shifts = [np.roll(again, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        assert min(np.abs(shifted - original).mean() for shifted in shifts) < 14


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_picture_has_nothing_drawn(tmp_path, shade):
    Image.new("L", (50, 40), shade).save(tmp_path / "blank.png")
    with pytest.raises(InputError, match=r"blank\.png: nothing drawn"):
        read_image(tmp_path / "blank.png")


def test_a_single_dot_and_a_single_pixel(tmp_path):
    picture = Image.new("L", (50, 40), 255)
    picture.putpixel((25, 20), 0)
    picture.save(tmp_path / "dot.png")
    with pytest.raises(InputError, match="nothing drawn"):
        read_image(tmp_path / "dot.png")
    Image.new("L", (1, 1), 0).save(tmp_path / "pixel.png")
    with pytest.raises(InputError, match="nothing drawn"):
        read_image(tmp_path / "pixel.png")


def test_what_is_no_picture(tmp_path):
    (tmp_path / "text.png").write_text("seven")
    for path in (tmp_path / "text.png", tmp_path / "absent.png", tmp_path):
        with pytest.raises(InputError, match="cannot read the image"):
            read_image(path)
    drawing().save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:300])
    with pytest.raises(InputError, match="cannot read the image"):
        read_image(tmp_path / "half.png")


def test_a_bomb_is_refused_with_its_size(tmp_path):
    Image.new("1", (20_000, 9_000)).save(tmp_path / "bomb.png")
    with pytest.raises(InputError, match="it has 20,000 x 9,000 pixels, but at most 150,000,000 can be read"):
        read_image(tmp_path / "bomb.png")


LARGE = {  # 5,000 x 4,000 pixels and more, in the forms that people have
    "gray": ("png", lambda picture: picture),
    "one bit": ("tif", lambda picture: picture.convert("1")),
    "palette": ("png", lambda picture: picture.convert("P")),
    "palette and transparency": ("png", lambda picture: _transparent(picture.convert("P"))),
    "color": ("png", lambda picture: picture.convert("RGB")),
    "color and transparency": ("png", lambda picture: picture.convert("RGBA")),
    "gray and transparency": ("png", lambda picture: picture.convert("LA")),
    "JPEG": ("jpg", lambda picture: picture.convert("RGB")),
    "16 bits": ("png", lambda picture: Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)),
    "floating point": ("tif", lambda picture: Image.fromarray(np.asarray(picture).astype(np.float32) / 255)),
}


def _transparent(picture):
    picture.info["transparency"] = 255
    return picture


@pytest.mark.parametrize("form", LARGE)
def test_large_pictures_are_read_by_means_over_squares(tmp_path, form):
    ending, convert = LARGE[form]
    drawing().save(tmp_path / "plain.png")
    large = drawing().resize((5003, 4001), Image.Resampling.BICUBIC)
    convert(large).save(tmp_path / f"large.{ending}")
    expected, image = (read_image(tmp_path / name).astype(float) for name in ("plain.png", f"large.{ending}"))
    assert np.abs(image - expected).mean() < 6


def test_squares_have_the_mean_of_their_pixels():
    gray = np.zeros((2050, 4100), np.uint16)
    gray[2, 3], gray[3, 3], gray[4, 4] = 400, 800, 1600
    reduced = np.asarray(_reduced(Image.fromarray(gray)))
    assert reduced.shape == (2050 // 4, 4100 // 4)
    assert (reduced[0, 0], reduced[1, 1]) == (75, 100)
    small = Image.fromarray(np.zeros((2047, 2047), np.uint8))
    assert _reduced(small) is small
    assert _reduced(Image.fromarray(np.zeros((10, 2048), np.uint8))).size == (1024, 5)


@pytest.mark.parametrize(
    ("mode", "pixels", "fits"),
    [
        ("L", 150_000_000, True), ("L", 150_000_001, False), ("1", 150_000_000, True), ("P", 150_000_000, True),
        ("RGB", 60_000_000, True), ("RGB", 60_000_001, False), ("RGBA", 37_500_000, True), ("RGBA", 37_500_001, False),
        ("LA", 37_500_000, True), ("LA", 37_500_001, False), ("I;16", 75_000_000, True), ("I;16", 75_000_001, False),
        ("F", 25_000_000, True), ("F", 25_000_001, False), ("CMYK", 25_000_001, False),
    ],
)  # fmt: skip
def test_memory_is_judged_from_the_header(mode, pixels, fits):
    picture = SimpleNamespace(size=(pixels, 1), mode=mode, format="PNG", info={})
    if fits:
        _check_size(picture)
    else:
        with pytest.raises(
            InputError, match=r"pixels, but at most 150,000,000 can be read|MB when decoded; make it smaller"
        ):
            _check_size(picture)


@pytest.mark.parametrize(
    ("kind", "bands", "progressive", "pixels", "fits"),
    [
        ("JPEG", 3, False, 150_000_000, True), ("JPEG", 3, True, 50_000_000, True),
        ("JPEG", 3, True, 50_000_001, False), ("JPEG", 1, True, 150_000_000, True),
        ("WEBP", 3, False, 21_428_571, True), ("WEBP", 3, False, 21_428_572, False),
    ],
)  # fmt: skip
def test_formats_that_need_more_or_less(kind, bands, progressive, pixels, fits):
    info = {"progressive": 1} if progressive else {}
    picture = SimpleNamespace(size=(pixels, 1), mode="RGB", format=kind, info=info, getbands=lambda: "RGB"[:bands])
    if fits:
        _check_size(picture)
    else:
        with pytest.raises(InputError, match="would take 300 MB when decoded"):
            _check_size(picture)


def test_deep_pictures_have_their_white_where_their_numbers_end():
    for values, expected in (
        (np.array([[0, 500, 65_535]], np.uint16), [0, 2, 255]),
        (np.array([[0, 51, 255]], np.uint16), [0, 51, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 35_000, 70_000]], np.int32), [0, 128, 255]),
    ):
        np.testing.assert_array_equal(layers(Image.fromarray(values))[0][0, :, 0], expected)


def test_ink_on_nothing_is_as_dark_as_it_is_opaque():
    colors = np.zeros((20, 20, 4), np.uint8)
    colors[5:15, 8:12, 3] = 128
    for shade in (0, 255):
        colors[..., :3] = shade
        found = colors_of(Image.fromarray(colors, "RGBA"))
        np.testing.assert_allclose(found[10, 8:12, 0], 1 - 128 / 255, atol=1e-6)
        assert found[0, 0, 0] == 1


def test_what_surrounds_a_card_is_taken_for_paper():
    colors = np.full((40, 40, 4), 250, np.uint8)
    colors[..., 3] = 0
    colors[4:36, 4:36, 3] = 255
    colors[15:25, 18:22, :3] = 20
    found = colors_of(Image.fromarray(colors, "RGBA"))
    assert found[0, 0].tolist() == pytest.approx([250 / 255] * 3)
    assert found[20, 20].tolist() == pytest.approx([20 / 255] * 3)
