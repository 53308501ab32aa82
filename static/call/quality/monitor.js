// @ts-check
/**
 * Checks the connection once a second, shows it in words and bars while it is not good, and lets bitrate.js decide how much video to send.
 * Each change is announced once, politely. Nothing is graded while no media flow. A reduction is announced, with a
 * button that undoes it.
 */
import { polite } from "../../announce.js";
import { StatsDeltas } from "./stats.js";
import { BitrateControl } from "./bitrate.js";
import { ConnectionGrade } from "./grade.js";

/** @typedef {import("./bitrate.js").Choice} Choice */

const CHECK_MS = 1000;
const SHOWN = { unknown: "", good: "", unsteady: "Unsteady connection", weak: "Weak connection" };
const SPOKEN = { unknown: "", good: "The connection is good again.", unsteady: "The connection is unsteady.", weak: "The connection is weak." };

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

export class QualityMonitor {
  /** What has changed and when, for diagnosis: seconds into the call. @type {string[]} */ log = [];
  grade = new ConnectionGrade();
  bitrate = new BitrateControl();
  #deltas = new StatsDeltas();
  /** @type {RTCPeerConnection|null} */ #seen = null;
  /** Whether the peer can receive video now. */ #isWanted = true;
  #since = performance.now();

  /** @param {import("../webrtc/engine.js").CallEngine} engine @param {{video: boolean}} peer what it reports to send @param {() => void} changed */
  constructor(engine, peer, changed) {
    this.engine = engine;
    this.peer = peer;
    this.changed = changed;
    this.timer = setInterval(() => this.check(), CHECK_MS);
    this.draw();
    element("picture").addEventListener("change", () => this.choose(element("picture").value));
    element("picture-anyway").addEventListener("click", () => this.choose("full"));
  }

  /** Our video as sent to the peer, besides whether the camera is on. */
  get state() {
    const { limit, wantsVideo } = this.bitrate.level;
    return { sendsVideo: limit.active && this.#isWanted, wantsVideo };
  }

  /** @param {Choice} choice */
  choose(choice) {
    element("picture").value = choice;
    if (this.bitrate.choose(choice)) this.#moved();
  }

  /** @param {boolean} isWanted as the peer reports */
  peerWants(isWanted) {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    this.#moved();
  }

  async check() {
    const { pc, flow } = this.engine;
    if (!pc || !flow.isFlowing) return this.#forget();
    const stats = await pc.getStats().catch(() => null);
    if (stats && pc === this.engine.pc) this.#take(pc, stats);
  }

  #forget() {
    this.#seen = null;
    if (this.grade.reset()) this.draw();
  }

  /** @param {RTCPeerConnection} pc @param {RTCStatsReport} stats */
  #take(pc, stats) {
    const isFirst = pc !== this.#seen;
    if (isFirst) this.#deltas = new StatsDeltas();
    this.#seen = pc;
    const reading = this.#deltas.read(stats, performance.now());
    if (isFirst) return;
    if (!this.peer.video) Object.assign(reading, { framesPerSecond: null, freezes: 0 });
    const before = this.grade.word;
    if (this.grade.take(reading)) this.#say(before);
    if (this.bitrate.take(this.grade.path, reading.seconds)) this.#moved();
  }

  /** @param {import("./grade.js").Word} before */
  #say(before) {
    const { word } = this.grade;
    this.#note(word);
    this.draw();
    if (before !== "unknown" || word !== "good") polite(SPOKEN[word]);
  }

  #moved() {
    const { level } = this.bitrate;
    this.#note(`picture: ${level.name}`);
    this.engine.setVideoLimit({ ...level.limit, active: this.state.sendsVideo });
    this.draw();
    this.changed();
  }

  /** @param {string} text */
  #note(text) {
    const second = Math.round((performance.now() - this.#since) / 1000);
    this.log = [...this.log, `${second} s ${text}`].slice(-40);
  }

  draw() {
    const { word } = this.grade;
    const { choice, level } = this.bitrate;
    element("call").dataset.level = level.name;
    element("call-quality").hidden = !SHOWN[word];
    element("call-quality").dataset.quality = word;
    element("quality-words").textContent = SHOWN[word];
    element("picture-note").hidden = choice !== "auto" || level.limit.active;
    element("picture-words").textContent = level.wantsVideo
      ? "Your picture is paused to keep the sound clear." : "Sound only, until the connection is better.";
  }

  stop() {
    clearInterval(this.timer);
  }
}
