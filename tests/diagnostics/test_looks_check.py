"""Checking looks: what is found about good ones, and about each kind of fault."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.running import here, refused
from visualizer.diagnostics.looks_check.check import check_looks, look_files
from visualizer.diagnostics.looks_check.checked import PROBLEMS, CheckedLook, no_longer
from visualizer.diagnostics.looks_check.drawing import CheckOptions, glslang_fault
from visualizer.errors import BadInput
from visualizer.looks.look import open_look_file
from visualizer.resources import shipped

FILTER = '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/\nvoid main() {\n    %s\n}\n'
GENERATOR = "/*{}*/\nvoid main() {\n    %s\n}\n"
TRANSITION = (
    '/*{"INPUTS": [{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"},'
    ' {"NAME": "progress", "TYPE": "float"}]}*/\nvoid main() {\n    %s\n}\n'
)
FADE = "gl_FragColor = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), %s);"
LOOKS = {
    "Fade over.fs": TRANSITION % (FADE % "progress"),
    "grey.fs": FILTER % "gl_FragColor = vec4(vec3(IMG_THIS_PIXEL(inputImage).r), 1.0);",
    "its own.fs": '/*{"PASSES": [{"TARGET": "a"}, {}]}*/\nvoid main() { gl_FragColor = IMG_THIS_PIXEL(a) + '
    "vec4(isf_FragNormCoord, 0.2, 1.0); }",
    "late.fs": TRANSITION % (FADE % "0.2 + 0.8 * progress"),
    "more/early.fs": TRANSITION % (FADE % "0.8 * progress"),
    "more/red.fs": GENERATOR % "gl_FragColor = vec4(1.0, 0.0, 0.0, 1.0);",
    "more/wrong.fs": GENERATOR % "gl_FragColor = vec4(nothing);",
    "no header.fs": "void main() { gl_FragColor = vec4(isf_FragNormCoord, TIME, 1.0); }",
    "torn.fs": '/*{"INPUTS": [}*/\nvoid main() {}',
}
# a driver may end a loop after 65,536 turns, as Mesa's software renderer does
ENDLESS = GENERATOR % (
    "float v = TIME; for (int i = 0; i < 60000; i++) for (int j = 0; j < 60000; j++) for (int k = 0; k < 60000; k++) "
    "v = fract(v * 1.7 + sin(v)); gl_FragColor = vec4(v);"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looks")
    for name, text in LOOKS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "notes.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def verdicts(folder):
    return {one.file: one for one in check_looks(folder, look_files(folder))}


def test_every_look_below_a_folder_is_checked(folder, verdicts):
    assert set(verdicts) == set(LOOKS)


def test_good_looks_have_no_problem(verdicts):
    assert verdicts["Fade over.fs"].kind == "transition" and not verdicts["Fade over.fs"].problems
    assert verdicts["grey.fs"].kind == "filter" and not verdicts["grey.fs"].problems
    assert verdicts["no header.fs"].kind == "generator" and not verdicts["no header.fs"].problems
    assert verdicts["its own.fs"].n_passes == 2 and not verdicts["its own.fs"].problems, "it reads what it draws into"
    assert verdicts["grey.fs"].n_passes == 1
    assert verdicts["grey.fs"].compile_s > 0 and verdicts["grey.fs"].frame_s > 0


@pytest.mark.parametrize(
    ("file", "problem", "words"),
    [
        ("late.fs", "start", "at 160x90 it is off by"),
        ("more/early.fs", "end", "at 160x90 it is off by"),
        ("more/red.fs", "flat", "red 255, green 0, blue 0"),
        ("torn.fs", "read", "torn.fs:1"),
        ("more/wrong.fs", "compile", "wrong.fs:3: "),
    ],
)
def test_each_kind_of_fault_is_named(file, problem, words, verdicts):
    problems = verdicts[file].problems
    assert words in problems[problem]
    assert set(problems) - {problem} <= {"glslang"}


@pytest.mark.skipif(shutil.which("glslangValidator") is None, reason="glslangValidator is not installed")
def test_glslang_names_file_line_and_source_line(folder, verdicts):
    said = verdicts["more/wrong.fs"].problems["glslang"]
    assert "wrong.fs:3: 'nothing' : undeclared identifier" in said and "gl_FragColor = vec4(nothing);" in said
    assert glslang_fault("glslangValidator", open_look_file(folder / "grey.fs")) == ""
    assert "failed" in glslang_fault("no-such-program", open_look_file(folder / "grey.fs"))


@pytest.mark.slow
def test_a_look_that_never_ends_is_one_line_and_the_check_goes_on(tmp_path):
    (tmp_path / "a.fs").write_text(ENDLESS)
    (tmp_path / "b.fs").write_text(LOOKS["grey.fs"])
    endless, good = check_looks(tmp_path, look_files(tmp_path), deadline_s=6.0)
    assert endless == CheckedLook("a.fs", problems={"hang": "it did not end within 6 s"})
    assert good.file == "b.fs" and not good.problems


def test_files_that_differ_only_in_capital_letters_are_a_problem(tmp_path):
    for name in ("grey.fs", "Grey.fs", "other.fs"):
        (tmp_path / name).write_text(LOOKS["grey.fs"])
    if len(files := look_files(tmp_path)) < 3:
        pytest.skip("this file system ignores case")
    found = {one.file: one.problems for one in check_looks(tmp_path, files)}
    assert found["Grey.fs"] == {"case": "grey.fs is the same file on macOS and Windows; rename one"}
    assert found["grey.fs"].keys() == {"case"} and found["other.fs"] == {}


def test_a_budget_makes_slow_looks_a_failure(tmp_path):
    (tmp_path / "a.fs").write_text(LOOKS["grey.fs"])
    (found,) = check_looks(tmp_path, look_files(tmp_path), budget_s=1e-6)
    assert set(found.problems) == {"slow"} and "the budget is 0 ms" in found.problems["slow"]


def test_one_file_is_checked_alone(tmp_path):
    for name in ("grey.fs", "late.fs"):
        (tmp_path / name).write_text(LOOKS[name])
    (found,) = check_looks(tmp_path / "grey.fs", look_files(tmp_path / "grey.fs"))
    assert found.file == "grey.fs" and not found.problems
    (tmp_path / "words.txt").write_text("words")
    with pytest.raises(BadInput, match="there are no looks in it"):
        look_files(tmp_path / "words.txt")


def test_looks_that_come_with_the_program_have_no_problem():
    files = look_files(shipped("shaders"))
    assert shipped("shaders") / "crossfade.frag" in files and not any("base" in path.parts for path in files)
    assert [one for one in check_looks(shipped("shaders"), files) if one.problems] == []


def test_the_baseline_separates_known_from_new():
    verdict = CheckedLook("a.fs", problems={"flat": "black", "start": "off"})
    known = {"a.fs": {"flat": "as it is meant"}, "b.fs": {"end": "rounds"}, "gone.fs": {"hang": "slow"}}
    assert verdict.new_problems(known) == {"start": "off"} and verdict.new_problems({}) == verdict.problems
    assert no_longer([verdict, CheckedLook("b.fs")], known) == ["b.fs: end", "gone.fs: hang"]
    (flat, start) = verdict.as_json(known)["problems"]
    assert (flat["new"], flat["reason"], start["new"]) == (False, "as it is meant", True)
    assert {"flat", "start"} < set(PROBLEMS)
    assert CheckOptions().glslang is None


def test_what_a_look_says_of_itself_is_a_note_and_no_problem(tmp_path):
    (tmp_path / "a.fs").write_text(LOOKS["grey.fs"].replace('"INPUTS"', '"INPUT": [], "INPUTS"'))
    run = here("looks", "check", tmp_path)
    assert run.returncode == 0 and "the key 'INPUT' of its header" in " ".join(run.stdout.split())
    assert "  note  " in run.stdout and run.stdout.splitlines()[-1] == "1 look: 1 without a problem"
    (found,) = check_looks(tmp_path, look_files(tmp_path))
    assert found.as_json({})["news"] == list(found.news) and len(found.news) == 1


def test_the_command_prints_a_table_and_fails_for_what_is_new(tmp_path):
    (tmp_path / "looks").mkdir()
    for name in ("grey.fs", "late.fs"):
        (tmp_path / "looks" / name).write_text(LOOKS[name])
    run = here("looks", "check", tmp_path / "looks")
    assert run.returncode == 1 and "late.fs" in run.stdout and "it is off by" in run.stdout
    assert run.stdout.splitlines()[-1] == "2 looks: 1 without a problem, 1 with new ones"
    baseline = tmp_path / "known.yaml"
    baseline.write_text('looks:\n  late.fs: {start: "begins late"}\n  grey.fs: {end: "no transition"}\n')
    run = here("looks", "check", tmp_path / "looks", "--baseline", baseline)
    assert run.returncode == 0 and "begins late" in run.stdout
    assert run.stdout.splitlines()[-2:] == [
        "no longer: grey.fs: end; remove it from the baseline",
        "2 looks: 1 without a problem, 1 with known ones",
    ]
    alone = here("looks", "check", tmp_path / "looks" / "late.fs", "--baseline", baseline)
    assert alone.returncode == 0 and "no longer" not in alone.stdout, "the others were not checked"
    run = here("looks", "check", tmp_path / "looks", "--baseline", baseline, "--json")
    found = json.loads(run.stdout)
    assert run.returncode == 0 and [one["file"] for one in found["looks"]] == ["grey.fs", "late.fs"]
    assert found["no_longer"] == ["grey.fs: end"]


def test_wrong_use_is_one_line(tmp_path):
    refused(here("looks", "check", tmp_path), "there are no looks in it")
    refused(here("looks", "check", tmp_path / "nowhere"), "is no folder")
    (tmp_path / "a.fs").write_text(LOOKS["grey.fs"])
    baseline = tmp_path / "known.yaml"
    baseline.write_text("looks:\n  a.fs:\n    flatt: x\n")
    refused(here("looks", "check", tmp_path, "--baseline", baseline), "known.yaml:3", "'flatt'", "'flat'")
