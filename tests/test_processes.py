"""Real processes beside the show, their pipes, and where stderr goes meanwhile."""

import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fixtures.watching import wait_for
from visualizer.audio import portaudio
from visualizer.cli import main
from visualizer.processes import (
    Outlet,
    how_it_ended,
    log_here,
    log_through,
    lower_priority,
    past_redirects,
    redirect_stderr,
    redirect_streams,
    start_child,
)


def _child(pipe):
    over, found = threading.Event(), []
    thread = threading.Thread(target=lambda: found.append(sys.platform != "win32" and over.wait() and os.nice(0)))
    thread.start()
    lower_priority(7)
    lower_priority(3)  # it does not become less nice
    over.set()
    thread.join()
    logger = log_through(pipe.send)
    logger.info("%d of %s", 3, "these")
    logging.getLogger("visualizer.somewhere").warning("one line")
    if sys.platform != "win32":
        os.kill(os.getpid(), signal.SIGINT)
        pipe.send((os.nice(0), *found))
    pipe.close()
    logger.info("nobody listens any more")  # and nothing is raised
    sys.exit(3)


def test_it_lowers_its_priority_and_logs_through_the_pipe(caplog):
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_child, args=(theirs,))
    process.start()
    theirs.close()
    sent = []
    try:
        while True:
            assert ours.poll(60), "nothing came"
            sent.append(ours.recv())
    except EOFError:
        process.join(60)
    assert sent[:2] == [
        (logging.INFO, "visualizer", "3 of these"),
        (logging.WARNING, "visualizer.somewhere", "one line"),
    ]
    assert sent[2:] == ([] if sys.platform == "win32" else [(max(7, os.nice(0)),) * 2]), "Ctrl-C did not end it"
    assert how_it_ended(process.exitcode) == "status 3"
    caplog.set_level(logging.INFO, logger="visualizer")
    for line in sent[:2]:
        log_here(line)
    assert [(one.name, one.getMessage()) for one in caplog.records] == [line[1:] for line in sent[:2]]


def _fails():
    raise RuntimeError("a fault while it loads")


@pytest.mark.skipif(sys.platform == "win32", reason="a process gets handles of its own there")
def test_what_it_writes_to_stderr_goes_to_a_file_and_ours_does_not(tmp_path, capfd):
    process = multiprocessing.get_context("spawn").Process(target=_fails)
    start_child(process, tmp_path / "words")
    process.join(60)
    os.write(2, b"ours")
    assert "RuntimeError: a fault while it loads" in (tmp_path / "words").read_text()
    assert capfd.readouterr().err == "ours"
    other = multiprocessing.get_context("spawn").Process(target=_fails)
    start_child(other, tmp_path / "no" / "folder")
    other.join(60)
    assert "RuntimeError" in capfd.readouterr().err, "where it cannot be kept it is printed as ever"


@pytest.mark.parametrize(("exitcode", "words"), [(-11, "signal 11"), (1, "status 1"), (0, "status 0")])
def test_how_it_ended(exitcode, words):
    assert how_it_ended(exitcode) == words


def open_descriptors():
    """Those of earlier tests may be closed meanwhile; none may be added."""
    return {path.name for path in Path("/proc/self/fd").iterdir()} if sys.platform == "linux" else set()


def stderr_goes_to(path):
    return os.path.samestat(os.fstat(2), path.stat())


@pytest.mark.skipif(sys.platform == "win32", reason="a process gets handles of its own there")
def test_stderr_is_back_when_portaudio_is_left_while_a_process_starts(tmp_path):
    before, inside, leave = os.fstat(2), threading.Event(), threading.Event()

    def opens_a_device():
        portaudio.call_with_timeout(lambda: (inside.set(), leave.wait(60)))

    audio = threading.Thread(target=opens_a_device)

    class Starting:
        def start(self):
            assert stderr_goes_to(tmp_path / "words")
            leave.set()
            audio.join(0.2)  # where each restores what it found, stderr is lost now
            assert stderr_goes_to(tmp_path / "words")

    audio.start()
    assert inside.wait(60)
    start_child(Starting(), tmp_path / "words")
    audio.join(60)
    assert os.path.samestat(os.fstat(2), before)


def test_any_number_of_threads_redirect_stderr_and_leave_in_any_order(tmp_path):
    before, descriptors = os.fstat(2), open_descriptors()

    def redirects(number):
        pauses = random.Random(number)
        for _ in range(40):
            with redirect_stderr(tmp_path / f"{number}"):
                threading.Event().wait(pauses.uniform(0, 0.002))

    threads = [threading.Thread(target=redirects, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert os.path.samestat(os.fstat(2), before)
    wait_for(lambda: open_descriptors() <= descriptors, "descriptors are left")


def test_what_cannot_be_redirected_stays_and_leaks_no_descriptor(tmp_path):
    before = os.fstat(2)
    with redirect_stderr(tmp_path):  # a folder
        assert os.path.samestat(os.fstat(2), before)
    kept, descriptors = os.dup(2), open_descriptors()
    os.close(2)
    try:  # a program started with 2>&-
        with redirect_stderr(tmp_path / "words"), pytest.raises(OSError):
            os.fstat(2)
        assert past_redirects() is None
        redirect_streams(tmp_path / "words", 2)
        assert stderr_goes_to(tmp_path / "words")
    finally:
        os.dup2(kept, 2)
    wait_for(lambda: open_descriptors() <= descriptors, "descriptors are left")
    os.close(kept)
    with pytest.raises(ZeroDivisionError), redirect_stderr():
        raise ZeroDivisionError
    assert os.path.samestat(os.fstat(2), before)


def test_the_program_s_own_lines_go_past_a_driver_that_hangs_while_it_is_kept_quiet(capfd):
    with past_redirects() as own, redirect_stderr():
        own.write("our line\n")
        os.write(2, b"the driver's\n")
    assert capfd.readouterr().err == "our line\n"


def test_messages_of_several_threads_go_out_whole():
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    outlet, pixels = Outlet(theirs), bytes(range(256)) * 400  # more than a pipe takes at once

    def sends(word):
        for number in range(50):
            outlet.send(word, number, memoryview(pixels) if word == "frame" else None)

    threads = [threading.Thread(target=sends, args=(word,)) for word in ("frame", "log", "log 2")]
    for thread in threads:
        thread.start()
    got = {"frame": [], "log": [], "log 2": []}
    for _ in range(150):
        word, number = ours.recv()
        got[word].append(number)
        assert word != "frame" or ours.recv_bytes() == pixels
    assert all(numbers == list(range(50)) for numbers in got.values())
    for thread in threads:
        thread.join(60)
    ours.close()
    with pytest.raises(OSError):
        outlet.send("done")
    theirs.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these libraries are used so on Linux only")
def test_the_program_reserves_its_variables_before_anything_else_and_keeps_the_user_s(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    for given, expected in ((None, "@DEFAULT_SOURCE@"), ("mic", "mic")):
        monkeypatch.delenv("PULSE_SOURCE", raising=False)
        if given:
            monkeypatch.setenv("PULSE_SOURCE", given)
        with pytest.raises(SystemExit):
            main(["--version"])
        assert os.environ["PULSE_SOURCE"] == expected and os.environ["JACK_NO_START_SERVER"] == "1"


def test_the_program_ends_though_a_child_cannot_be_killed(tmp_path):
    """As one in a driver that hangs, for which no signal is enough: here a kill does nothing."""
    code = (
        "import multiprocessing, time\n"
        "from visualizer.processes import exit_program, kill_child\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=time.sleep, args=(1000,))\n"
        "    child.start()\n"
        "    child.kill = lambda: None\n"
        "    kill_child(child, 0.1)\n"
        "    print(child.pid)\n"
        "    exit_program(3)\n"
    )
    (tmp_path / "program.py").write_text(code)
    command = [sys.executable, str(tmp_path / "program.py")]
    with (tmp_path / "out").open("w+") as out:
        program = subprocess.Popen(command, stdout=out)
        try:
            assert program.wait(120) == 3
        finally:
            program.kill()
            out.seek(0)
            os.kill(int(out.read()), signal.SIGTERM)
