"""A real process beside the show: it stands back, logs through the pipe, and says how it ended."""

import logging
import multiprocessing
import os
import signal
import sys

import pytest

from visualizer.show.helper import how_it_ended, log_here, log_through, stand_back, start_beside


def _child(pipe):
    stand_back(7)
    stand_back(3)  # it does not become less nice
    logger = log_through(pipe.send)
    logger.info("%d of %s", 3, "these")
    logging.getLogger("visualizer.somewhere").warning("one line")
    if sys.platform != "win32":
        os.kill(os.getpid(), signal.SIGINT)
        pipe.send(os.nice(0))
    pipe.close()
    logger.info("nobody listens any more")  # and nothing is raised
    sys.exit(3)


def test_it_stands_back_and_logs_through_the_pipe(caplog):
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
    assert sent[2:] == ([] if sys.platform == "win32" else [max(7, os.nice(0))]), "Ctrl-C did not end it"
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
    start_beside(process, tmp_path / "words")
    process.join(60)
    os.write(2, b"ours")
    assert "RuntimeError: a fault while it loads" in (tmp_path / "words").read_text()
    assert capfd.readouterr().err == "ours"
    other = multiprocessing.get_context("spawn").Process(target=_fails)
    start_beside(other, tmp_path / "no" / "folder")
    other.join(60)
    assert "RuntimeError" in capfd.readouterr().err, "where it cannot be kept it is told as ever"


@pytest.mark.parametrize(("exitcode", "words"), [(-11, "signal 11"), (1, "status 1"), (0, "status 0")])
def test_how_it_ended(exitcode, words):
    assert how_it_ended(exitcode) == words
