"""Pure parts with numbers: StatsDeltas, ConnectionGrade and BitrateControl."""

from __future__ import annotations

from typing import Any

from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import Stage, journey

DELTAS = """async (rounds) => {
  const { StatsDeltas } = await import('/static/call/quality/stats.js');
  const deltas = new StatsDeltas();
  return rounds.map((reports, index) => deltas.read(reports, 1000 + 1000 * index));
}"""
QUALITY = """async (readings) => {
  const { ConnectionGrade } = await import('/static/call/quality/grade.js');
  const quality = new ConnectionGrade();
  const calm = { seconds: 1, received: 60, lossIn: 0, lossOut: 0, lossOutNow: 0, jitter: 0.01,
    roundTripTime: 0.05, freezes: 0, framesPerSecond: 30 };
  return readings.map((one) => { quality.take({ ...calm, ...one }); return quality.word; });
}"""
LADDER = """async (grades) => {
  const { BitrateControl } = await import('/static/call/quality/bitrate.js');
  const bitrate = new BitrateControl();
  return grades.map((grade) => { bitrate.take(grade, 1); return bitrate.level.name; });
}"""


async def ask(stage: Stage, script: str, value: Any) -> Any:
    visitor: Visitor = await stage.visitor("Judge")
    await visitor.go("/")
    return await visitor.page.evaluate(script, value)


def sound(received: int, lost: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "inbound-rtp",
        "id": "a",
        "kind": "audio",
        "packetsReceived": received,
        "packetsLost": lost,
    } | more


def picture(frames: int, freezes: int) -> dict[str, Any]:
    counts = {"packetsReceived": frames, "packetsLost": 0, "framesDecoded": frames, "freezeCount": freezes}
    return {"type": "inbound-rtp", "id": "v", "kind": "video"} | counts


@journey
async def test_counters_that_go_backwards_are_ignored(stage: Stage) -> None:
    rounds = [
        [sound(1000, 10), picture(300, 2)],
        [sound(1050, 10), picture(330, 2)],
        [sound(20, 0), picture(5, 0)],
        [sound(60, 0), picture(20, 0)],
        [sound(100, 10), picture(50, 3)],
    ]
    _, steady, backwards, _, lossy = await ask(stage, DELTAS, rounds)
    assert (steady["received"], steady["lossIn"], steady["framesPerSecond"], steady["freezes"]) == (
        80,
        0,
        30,
        0,
    )
    assert (backwards["received"], backwards["lossIn"], backwards["framesPerSecond"]) == (0, 0, 0)
    assert (lossy["lossIn"], lossy["framesPerSecond"], lossy["freezes"]) == (0.2, 30, 3)


@journey
async def test_a_report_of_the_peer_holds_until_the_next(stage: Stage) -> None:
    def told(at: int, lost: float) -> list[dict[str, Any]]:
        return [
            {"type": "remote-inbound-rtp", "id": "r", "kind": "audio", "timestamp": at, "fractionLost": lost}
        ]

    rounds = [told(1, 0.0), told(2, 0.9), told(3, 0.4), *[told(3, 0.4)] * 8, told(4, 0.0)]
    found = await ask(stage, DELTAS, rounds)
    # The first report that is new covers a time before the first reading.
    assert [one["lossOut"] for one in found] == [0, 0, *[0.4] * 8, 0, 0]
    assert [one["lossOutNow"] for one in found] == [0, 0, 0.4, *[0] * 9]


@journey
async def test_what_was_lost_with_a_way_says_nothing_about_the_next(stage: Stage) -> None:
    """Otherwise the picture is reduced after each change of network, and after a few of them it is off."""

    def told(way: str, at: int, lost: float, received: int, lost_in: int) -> list[dict[str, Any]]:
        transport = {"type": "transport", "id": "t", "selectedCandidatePairId": way}
        report = {"type": "remote-inbound-rtp", "id": "r", "kind": "audio", "fractionLost": lost}
        return [transport, report | {"timestamp": at}, sound(received, lost_in)]

    rounds = [
        told("wifi", 1, 0, 1000, 10), told("wifi", 2, 0, 1050, 10), told("wifi", 3, 0.3, 1080, 30),
        told("mobile", 4, 0, 1090, 40), told("mobile", 5, 0.4, 1140, 60), told("mobile", 6, 0.2, 1180, 70),
    ]  # fmt: skip
    found = await ask(stage, DELTAS, rounds)
    assert [one["lossOut"] for one in found] == [0, 0, 0.3, 0, 0, 0.2]
    assert [one["lossIn"] for one in found] == [0, 0, 0.4, 0, 0, 0.2]


@journey
async def test_what_was_lost_before_a_pause_says_nothing_about_now(stage: Stage) -> None:
    """A stream that was paused reports its older losses with its first packets."""

    def told(at: int, lost: int, sent: int, received: int, lost_in: int) -> list[dict[str, Any]]:
        report = {"type": "remote-inbound-rtp", "id": "r", "kind": "video", "localId": "o", "timestamp": at}
        outbound = {"type": "outbound-rtp", "id": "o", "packetsSent": sent}
        return [report | {"packetsLost": lost, "fractionLost": 0}, outbound, sound(received, lost_in)]

    rounds = [
        told(1, 0, 100, 1000, 0), told(2, 0, 150, 1050, 0), told(3, 0, 150, 1050, 0),
        told(4, 20, 200, 1080, 20), told(5, 40, 250, 1110, 40),
    ]  # fmt: skip
    found = await ask(stage, DELTAS, rounds)
    assert [one["lossOut"] for one in found] == [0, 0, 0, 0, 0.4]
    assert [one["lossIn"] for one in found] == [0, 0, 0, 0, 0.4]


@journey
async def test_two_bad_readings_are_believed_and_three_good_ones(stage: Stage) -> None:
    calm: dict[str, float] = {}
    for bad, word in (
        ({"lossIn": 0.3}, "weak"), ({"lossOutNow": 0.05}, "unsteady"), ({"jitter": 0.2}, "weak"),
        ({"roundTripTime": 0.5}, "unsteady"), ({"freezes": 1}, "unsteady"), ({"framesPerSecond": 2}, "weak"),
        ({"received": 5}, "weak"),
    ):  # fmt: skip
        words = await ask(stage, QUALITY, [*[calm] * 4, *[bad] * 3, *[calm] * 6])
        assert words[1:4] == ["good"] * 3
        assert word in words[5:8], (bad, words)
        assert words[-2:] == ["good"] * 2, (bad, words)


@journey
async def test_a_single_hiccup_says_nothing(stage: Stage) -> None:
    words = await ask(stage, QUALITY, [{}, {}, {}, {"jitter": 0.1, "freezes": 1}, {}, {}, {}])
    assert set(words[2:]) == {"good"}


@journey
async def test_the_ladder_goes_down_quickly_up_slowly_and_slower_after_a_step_that_did_not_hold(
    stage: Stage,
) -> None:
    down = await ask(stage, LADDER, [2] * 12)
    assert down == ["full"] * 2 + ["bitrate"] * 3 + ["scale"] * 3 + ["paused"] * 3 + ["sound"]
    up = await ask(stage, LADDER, [2] * 12 + [0] * 32)
    assert up[12:] == ["sound"] * 7 + ["paused"] * 8 + ["scale"] * 8 + ["bitrate"] * 8 + ["full"]
    again = await ask(stage, LADDER, [2] * 3 + [0] * 8 + [2] * 3 + [0] * 20)
    assert (again[2], again[10], again[13]) == ("bitrate", "full", "bitrate")
    assert again[14:].index("full") == 15


@journey
async def test_an_unsteady_connection_costs_size_but_never_the_picture(stage: Stage) -> None:
    assert (await ask(stage, LADDER, [1] * 60))[-1] == "scale"
