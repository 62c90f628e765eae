import pytest

from models.errors import BundleError
from models.paddle_config import detector_options, recogniser_options


def test_a_description_without_settings_leaves_everything_open(tmp_path):
    (tmp_path / "inference.yml").write_text("Global: {model_name: PP-OCRv6_small_det}\n")
    assert detector_options(tmp_path / "inference.yml") == {}
    assert recogniser_options(tmp_path / "inference.yml") == {}


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [1\n", "\x00"])
def test_a_file_that_is_no_description_is_a_bundle_error(tmp_path, content):
    (tmp_path / "inference.yml").write_text(content)
    with pytest.raises(BundleError, match=r"inference\.yml") as raised:
        detector_options(tmp_path / "inference.yml")
    assert "\n" not in str(raised.value)
