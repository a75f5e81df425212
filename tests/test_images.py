import numpy as np
import pytest
from PIL import Image, ImageDraw

from plainnet import InputError
from plainnet.sources.images import normalize, read_image


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
        again = normalize(original / 255).astype(float)
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
    assert read_image(tmp_path / "dot.png").any()
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


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    drawing().save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(InputError, match="cannot read the image"):
        read_image(tmp_path / "bomb.png")
