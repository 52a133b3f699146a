"""Controllers together: polled and updated, and one that fails does not stop the others."""

from visualizer.control.commands import Act
from visualizer.control.controller import Controller
from visualizer.control.snapshot import Snapshot
from visualizer.show.controllers import Controllers
from visualizer.show.guard import Guard

SHOT = Snapshot(0.0, "Title", "clouds", ("clouds",))


class One(Controller):
    """A controller that records its calls; broken: every call fails."""

    can_learn, learning, bindings = True, "", {}

    def __init__(self, name, broken=False):
        self.name, self.broken = name, broken
        self.snapshots, self.closed, self.commands = [], 0, []

    def _may_fail(self):
        if self.broken:
            raise OSError("gone")

    def poll(self):
        self._may_fail()
        commands, self.commands = self.commands, []
        return commands

    def update(self, snapshot):
        self._may_fail()
        self.snapshots.append(snapshot)

    def status(self):
        self._may_fail()
        return [f"{self.name}\tfine"]

    def news(self):
        self._may_fail()
        return f"{self.name} says"

    def learn(self, target):
        self._may_fail()
        self.learning, self.bindings = target, {target: self.name}

    def close(self):
        self.closed += 1
        self._may_fail()


def test_one_that_fails_stops_no_other():
    good, bad, said = One("osc"), One("midi", broken=True), []
    controllers = Controllers([bad, good], Guard(said.append, now=lambda: 0.0))
    good.commands = [Act("tap"), Act("freeze")]
    assert controllers.poll() == [Act("tap"), Act("freeze")] and controllers.poll() == []
    controllers.update(SHOT)
    assert good.snapshots == [SHOT] and controllers.status() == ["osc\tfine"] and controllers.news() == ["osc says"]
    assert said == ["the midi failed (OSError: gone); the show goes on without it"]
    controllers.close()
    assert good.closed == bad.closed == 1 and len(controllers) == 0


def test_learning_goes_to_those_that_can():
    class Plain(One):
        can_learn = False

    controllers = Controllers([Plain("link")], Guard())
    assert "--midi" in controllers.learn("blackout"), "there is nothing to learn from"
    osc = One("osc")
    controllers.add(osc)
    assert (
        controllers.learn("blackout") is None
        and controllers.learning == "blackout"
        and controllers.bindings == {"blackout": "osc"}
    )
    controllers.remove(osc)
    assert osc.closed == 1 and controllers.learning == "" and controllers.bindings == {}
