"""Controllers together: asked, told, and none takes the others along."""

from visualizer.control.commands import Act
from visualizer.control.snapshot import Snapshot
from visualizer.show.guard import Guard
from visualizer.show.hub import Hub

SHOT = Snapshot(0.0, "Title", "clouds", ("clouds",))


class One:
    """A controller that notes what it is told; broken: everything it is asked fails."""

    def __init__(self, name, broken=False):
        self.name, self.broken = name, broken
        self.told, self.closed, self.commands, self.learning, self.bindings = [], 0, [], "", {}

    def _may_fail(self):
        if self.broken:
            raise OSError("gone")

    def poll(self):
        self._may_fail()
        commands, self.commands = self.commands, []
        return commands

    def tell(self, snapshot):
        self._may_fail()
        self.told.append(snapshot)

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


def test_one_that_fails_costs_itself_only():
    good, bad, said = One("osc"), One("midi", broken=True), []
    hub = Hub([bad, good], Guard(said.append, now=lambda: 0.0))
    good.commands = [Act("tap"), Act("freeze")]
    assert hub.poll() == [Act("tap"), Act("freeze")] and hub.poll() == []
    hub.tell(SHOT)
    assert good.told == [SHOT] and hub.status() == ["osc\tfine"] and hub.news() == ["osc says"]
    assert said == ["the midi failed (OSError: gone); the show goes on without it"]
    hub.close()
    assert good.closed == bad.closed == 1 and len(hub) == 0


def test_learning_goes_to_those_that_can():
    class Plain(One):
        learn = None

    hub = Hub([], Guard())
    assert not hub.learn("blackout"), "nobody is there to learn"
    osc = One("osc")
    hub.add(osc)
    assert hub.learn("blackout") and hub.learning == "blackout" and hub.bindings == {"blackout": "osc"}
    hub.remove(osc)
    assert osc.closed == 1 and hub.learning == "" and hub.bindings == {}
