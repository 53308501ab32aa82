// @ts-check
/**
 * What the last second of a call was like, out of RTCStats (W3C webrtc-stats). Everything is a delta against the reading
 * before; a counter that went backwards, or was not there before, counts as no change. No address is looked at.
 */

/**
 * @typedef {object} Reading
 * @property {number} seconds since the reading before
 * @property {number} received packets that came
 * @property {number} lossIn 0 to 1, the worse of sound and picture, as received here
 * @property {number} lossOut 0 to 1, as the peer reports of what we send
 * @property {number} jitter seconds
 * @property {number} roundTripTime seconds; 0: not measured
 * @property {number} freezes of the picture
 * @property {number|null} framesPerSecond decoded; null: no picture comes
 */

/** Fewer packets than this in a reading say nothing about loss. */
const LEAST_PACKETS = 15;

export class Gauge {
  /** @type {Map<string, number>} */ #before = new Map();
  #readAt = 0;

  /** @param {{forEach: (look: (report: any) => void) => void}} stats @param {number} now milliseconds @returns {Reading} */
  read(stats, now) {
    const seconds = this.#readAt ? (now - this.#readAt) / 1000 : 0;
    this.#readAt = now;
    /** @type {Reading} */
    const reading = { seconds, received: 0, lossIn: 0, lossOut: 0, jitter: 0, roundTripTime: 0, freezes: 0, framesPerSecond: null };
    stats.forEach((report) => {
      if (report.type === "inbound-rtp") this.#inbound(report, reading);
      else if (report.type === "remote-inbound-rtp") this.#remote(report, reading);
      else if (report.type === "candidate-pair" && report.nominated) this.#pair(report, reading);
    });
    return reading;
  }

  /** @param {any} report @param {Reading} reading */
  #inbound(report, reading) {
    const received = this.#delta(report, "packetsReceived");
    const lost = this.#delta(report, "packetsLost");
    reading.received += received;
    if (received + lost >= LEAST_PACKETS) reading.lossIn = Math.max(reading.lossIn, lost / (received + lost));
    if (received) reading.jitter = Math.max(reading.jitter, report.jitter ?? 0);
    if (report.kind === "video") this.#picture(report, reading);
  }

  /** @param {any} report @param {Reading} reading */
  #picture(report, reading) {
    const frames = this.#delta(report, "framesDecoded");
    reading.freezes += this.#delta(report, "freezeCount");
    if (report.framesDecoded && reading.seconds) reading.framesPerSecond = frames / reading.seconds;
  }

  /** The peer's receiver reports come every few seconds: only fresh ones count. @param {any} report @param {Reading} reading */
  #remote(report, reading) {
    if (this.#delta(report, "timestamp") > 0) reading.lossOut = Math.max(reading.lossOut, report.fractionLost ?? 0);
    this.#roundTrips(report, reading, "roundTripTimeMeasurements");
  }

  /** @param {any} report @param {Reading} reading */
  #pair(report, reading) {
    this.#roundTrips(report, reading, "responsesReceived");
  }

  /** The mean of the round trips since the last reading. @param {any} report @param {Reading} reading @param {string} counter */
  #roundTrips(report, reading, counter) {
    const trips = this.#delta(report, counter);
    const total = this.#delta(report, "totalRoundTripTime");
    if (trips) reading.roundTripTime = Math.max(reading.roundTripTime, total / trips);
  }

  /** @param {any} report @param {string} name */
  #delta(report, name) {
    const key = `${report.id}.${name}`;
    const now = report[name];
    if (typeof now !== "number") return 0;
    const before = this.#before.get(key);
    this.#before.set(key, now);
    return before === undefined ? 0 : Math.max(0, now - before);
  }
}
