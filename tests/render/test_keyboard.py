"""What keys are called on keyboards of several countries; the real ones arrive in test_window.py."""

from __future__ import annotations

import glfw
import pytest

from visualizer.render.keyboard import Press, key_name, key_press, us_key_names


@pytest.fixture
def keyboard(monkeypatch):
    """keyboard(written): every key writes that."""

    def of(written):
        monkeypatch.setattr(glfw, "get_key_name", lambda _key, _scancode: written)

    return of


def test_a_keyboard_without_latin_letters_counts_by_place(keyboard):
    keyboard("й")
    assert key_name(glfw, glfw.KEY_Q, 0) == "q"
    assert key_name(glfw, glfw.KEY_UNKNOWN, 0) == "й"
    assert key_press(glfw, glfw.KEY_Q, 0, glfw.MOD_CONTROL) == Press("ctrl+q", "ctrl+q")


def test_keys_that_write_nothing_go_by_their_names(keyboard):
    keyboard(None)
    assert key_name(glfw, glfw.KEY_SPACE, 0) == "space"
    assert key_name(glfw, glfw.KEY_PAGE_UP, 0) == "pageup"
    assert key_press(glfw, glfw.KEY_F11, 0, 0) == Press("f11", "f11")
    assert key_press(glfw, glfw.KEY_KP_7, 0, 0) == Press("7", "7")


@pytest.mark.parametrize("key", [glfw.KEY_LEFT_SHIFT, glfw.KEY_UNKNOWN, glfw.KEY_CAPS_LOCK])
def test_modifiers_and_unknown_keys_are_none(keyboard, key):
    keyboard(None)
    assert key_press(glfw, key, 0, 0) is None


def test_a_letter_counts_by_what_it_writes_and_not_by_its_place(keyboard):
    """The French keyboard writes "a" where the American one has Q: Ctrl+A must not be taken for Ctrl+Q."""
    keyboard(b"A")
    assert key_press(glfw, glfw.KEY_Q, 0, glfw.MOD_CONTROL) == Press("ctrl+a", "ctrl+a")


@pytest.mark.parametrize(
    ("key", "written", "place"),
    [
        (glfw.KEY_1, "&", "1"),  # French
        (glfw.KEY_RIGHT_BRACKET, "+", "]"),  # German
        (glfw.KEY_SEMICOLON, ",", ";"),
    ],
)
def test_signs_count_by_what_they_write_and_by_place(keyboard, key, written, place):
    keyboard(written)
    assert key_press(glfw, key, 0, 0) == Press(written, place)


def test_a_german_umlaut_goes_by_its_place(keyboard):
    keyboard("ü")
    assert key_press(glfw, glfw.KEY_LEFT_BRACKET, 0, 0) == Press("[", "[")


def test_the_table_of_places_is_built_once_for_all_presses(keyboard):
    for written in ("й", None, "q", "й"):
        keyboard(written)
        for key in (glfw.KEY_Q, glfw.KEY_F11, glfw.KEY_1):
            key_press(glfw, key, 0, 0)
    assert us_key_names.cache_info().currsize == 1 and us_key_names.cache_info().misses == 1


def test_modifiers_come_in_one_order(keyboard):
    keyboard("q")
    held = glfw.MOD_SUPER | glfw.MOD_SHIFT | glfw.MOD_CONTROL | glfw.MOD_ALT
    press = key_press(glfw, glfw.KEY_Q, 0, held)
    assert press is not None and press.name == "ctrl+alt+shift+super+q"
