import pytest

from tests.files.disks import locked_folder
from visualizer.errors import BadInput
from visualizer.oneline import preset_label
from visualizer.presets import preset as presets
from visualizer.presets.preset import list_presets, load_preset, reference_of
from visualizer.resources import shipped


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Shipped and user's presets in folders of their own."""
    monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(presets, "shipped", lambda name: tmp_path / "shipped" / name)
    make(tmp_path / "shipped/presets/clouds", "Clouds")
    make(tmp_path / "shipped/presets/aurora", "Aurora")
    return tmp_path


def make(folder, title="T", image="image.jpg", more=""):
    folder.mkdir(parents=True)
    (folder / "preset.yaml").write_text(f"title: {title}\nimage: {image}\n{more}")
    (folder / "image.jpg").write_bytes(b"any")
    return folder


def names(**options):
    return [found.name for found in list_presets(**options)]


def test_shipped_user_and_extra_presets_are_listed_by_name(places):
    make(places / "config/presets/mine")
    make(places / "elsewhere/zebra")
    assert names() == ["aurora", "clouds", "mine"]
    assert names(extra_folder=places / "elsewhere") == ["aurora", "clouds", "mine", "zebra"]
    assert names(extra_folder=places / "missing") == ["aurora", "clouds", "mine"]


def test_the_users_own_wins_over_the_shipped(places):
    make(places / "config/presets/clouds", "My clouds")
    assert [found.preset.title for found in list_presets()] == ["Aurora", "My clouds"]
    assert load_preset("clouds").preset.title == "My clouds"


def test_what_is_no_preset_is_not_listed(places):
    (places / "shipped/presets/README.md").write_text("text")
    (places / "shipped/presets/empty").mkdir()
    make(places / "shipped/presets/.hidden")
    assert names() == ["aurora", "clouds"]


def test_a_broken_preset_is_told_and_hides_no_other(places, caplog):
    (make(places / "config/presets/bad") / "preset.yaml").write_text("titel: x")
    told = []
    assert names(on_fault=told.append) == ["aurora", "clouds"]
    assert len(told) == 1
    assert "preset.yaml:1: titel: unknown key (did you mean 'title'?)" in told[0] and "(and 1 more)" in told[0]
    assert names() == ["aurora", "clouds"] and "titel" in caplog.text
    with pytest.raises(BadInput, match="titel"):
        load_preset("bad")


def test_load_by_name_folder_or_file(places, monkeypatch):
    folder = make(places / "elsewhere/mine", "Mine")
    assert load_preset("clouds").preset.title == "Clouds"
    assert load_preset("mine", extra_folder=places / "elsewhere").preset.title == "Mine"
    for asked in (str(folder), str(folder) + "/", str(folder / "preset.yaml")):
        found = load_preset(asked)
        assert (found.name, found.preset.title) == ("mine", "Mine")
        assert found.image_path == (folder / "image.jpg").resolve()
    monkeypatch.chdir(folder.parent)
    assert load_preset("mine").preset.title == "Mine"
    assert load_preset("./mine").name == "mine"
    monkeypatch.chdir(folder)
    assert load_preset(".").name == "mine"
    monkeypatch.setenv("HOME", str(places))
    monkeypatch.setenv("USERPROFILE", str(places))
    assert load_preset("~/elsewhere/mine").name == "mine"


def test_a_name_wins_over_a_folder_beside(places, monkeypatch):
    make(places / "here/clouds", "Beside")
    monkeypatch.chdir(places / "here")
    assert load_preset("clouds").preset.title == "Clouds"
    assert load_preset("./clouds").preset.title == "Beside"


@pytest.mark.parametrize("asked", ["cluods", "", "x\0y", "~nobody-at-all/x", "x" * 5000, "no/such/folder", "\n"])
def test_unknown_presets_name_the_nearest_and_all(asked):
    with pytest.raises(BadInput, match="there are: aurora, clouds") as caught:
        load_preset(asked)
    assert str(caught.value).isprintable()
    if asked == "cluods":
        assert "did you mean 'clouds'?" in str(caught.value)


def test_a_folder_without_a_preset(places):
    with pytest.raises(BadInput, match=r"preset\.yaml: no such file"):
        load_preset(str(places))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("../secret.jpg", "outside"),
        ("/etc/hostname", "outside"),
        ("sub/../../secret.jpg", "outside"),
        ("link.jpg", "outside"),
        ("none.jpg", "is not a file"),
        (".", "is not a file"),
        ('"nu\\0l.jpg"', "cannot be a file name"),
        ("x" * 1000, "cannot be a file name|is not a file"),
        ("circle.jpg", "cannot be a file name|is not a file"),
    ],
)
def test_the_image_must_be_a_file_inside_the_folder(places, image, said):
    (places / "secret.jpg").write_bytes(b"any")
    folder = make(places / "mine", image=image)
    (folder / "sub").mkdir()
    (folder / "link.jpg").symlink_to(places / "secret.jpg")
    (folder / "circle.jpg").symlink_to(folder / "circle.jpg")
    with pytest.raises(BadInput, match=said) as caught:
        load_preset(str(folder))
    assert "preset.yaml" in str(caught.value) and str(caught.value).isprintable()


def test_an_image_in_a_folder_below_and_through_a_linked_preset(places):
    folder = make(places / "mine", image="sub/a.jpg")
    (folder / "sub").mkdir()
    (folder / "sub/a.jpg").write_bytes(b"any")
    (places / "config/presets").mkdir(parents=True)
    (places / "config/presets/linked").symlink_to(folder)
    assert load_preset("linked").image_path.read_bytes() == b"any"
    assert load_preset("linked").name == "linked"


def test_every_shipped_preset_loads(monkeypatch):
    monkeypatch.setattr(presets, "shipped", shipped)
    faults = []
    found = list_presets(on_fault=faults.append)
    assert not faults
    folders = sorted(folder.name for folder in shipped("presets").iterdir() if folder.is_dir())
    assert [preset.name for preset in found] == folders and "clouds" in folders


def test_what_opens_a_preset_again(places, monkeypatch):
    listed, elsewhere = make(places / "config/presets/mine"), make(places / "elsewhere/clouds", "Elsewhere")
    (elsewhere / "deeper").mkdir()
    assert load_preset("mine").reference == load_preset(str(listed)).reference == reference_of(str(listed)) == "mine"
    for place, asked in ((elsewhere.parent, "./clouds"), (elsewhere, "preset.yaml"), (elsewhere / "deeper", "..")):
        monkeypatch.chdir(place)
        reference = load_preset(asked).reference
        assert reference == reference_of(asked)
        monkeypatch.chdir(places)
        again = load_preset(reference)
        assert (again.name, again.preset.title, again.reference) == ("clouds", "Elsewhere", reference)
        assert preset_label(reference) == "clouds"
    assert preset_label("mine") == "mine"
    with pytest.raises(BadInput, match="unknown preset 'cloud'"):
        reference_of("cloud")


def test_a_presets_folder_that_may_not_be_entered_is_told(monkeypatch):
    told = []
    with locked_folder(0o700) as folder:
        monkeypatch.setenv("VISUALIZER_CONFIG_DIR", str(folder))
        list_presets(on_fault=told.append)
    assert f"presets in {folder}/presets cannot be listed: Permission denied" in told


@pytest.mark.parametrize("key", ["variants", "rows"])  # the former name is the second
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("- seed: 1\n- seed: -1\n", r"preset.yaml:5: {}\.1\.seed: -1 cannot be used; allowed: a whole number, 0 .."),
        ("- sed: 1\n", r"preset.yaml:4: {}\.0\.sed: unknown key \(did you mean 'seed'\?\); allowed: .*colour"),
        (
            "  x\n",
            "preset.yaml:3: {}: 'x' cannot be used; allowed: a list of sections, at most 7, each with keys of dream",
        ),
    ],
)
def test_a_fault_in_a_variant_has_its_line_and_the_key_of_the_file(places, key, more, said):
    folder = make(places / "faulty", more=f"{key}:\n{more}")
    with pytest.raises(BadInput, match=said.format(key)):
        load_preset(str(folder))
