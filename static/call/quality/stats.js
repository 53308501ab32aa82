// @ts-check
/**
 * The last second of a call in numbers, from RTCStats (W3C webrtc-stats). Everything is a delta to the previous
 * reading; a counter that decreased or was missing counts as unchanged. Addresses are not read.
 *
 * What is lost while one way replaces another, or a stream pauses, says nothing about the way that is used now: loss counts
 * only if the stream has carried packets all the time since the reading or report before.
 */

/**
 * @typedef {object} Reading
 * @property {number} seconds since the previous reading
 * @property {number} received packets received
 * @property {number} lossIn 0 to 1, the worse of sound and picture, as received here
 * @property {number} lossOut 0 to 1, as the peer reports about what we send; a report is valid until the next one
 * @property {number} lossOutNow the same, but only from a new report; a report about sound counts only without one about video,
 *   because it covers five seconds and more
 * @property {number} jitter seconds
 * @property {number} roundTripTime seconds; 0: not measured
 * @property {number} freezes of the picture
 * @property {number|null} framesPerSecond decoded; null: no video arrives
 */

/** How long a report is valid: reports arrive every second for video, about every five seconds for audio. */
const HOLDS_MS = { video: 3000, audio: 8000, trip: 4000 };
/** After a change of the way, the peer reports losses of the old one for that long. */
const SETTLE_MS = 500;
/** With fewer packets in a reading, loss is not computed. */
const LEAST_PACKETS = 15;

/** The pair of candidates that media use; Firefox says it in another place. @param {any} report @returns {string|undefined} */
const pairOf = ({ type, id, selected, selectedCandidatePairId }) =>
  type === "transport" ? selectedCandidatePairId : type === "candidate-pair" && selected ? id : undefined;

export class StatsDeltas {
  /** @type {Map<string, number>} */ #before = new Map();
  /** @type {Map<string, {value: number, at: number}>} */ #held = new Map();
  /** Packets sent so far, by stream. @type {Map<string, number>} */ #sent = new Map();
  /** When a stream was read or reported last, and when it last carried nothing. @type {Map<string, {readAt: number, pausedAt: number}>} */ #streams = new Map();
  #way = "";
  #settledAt = -Infinity;
  #readAt = 0;

  /** @param {{forEach: (look: (report: any) => void) => void}} stats @param {number} now milliseconds @returns {Reading} */
  read(stats, now) {
    const seconds = this.#readAt ? (now - this.#readAt) / 1000 : 0;
    this.#readAt = now;
    /** @type {Reading} */
    const reading = { seconds, received: 0, lossIn: 0, lossOut: 0, lossOutNow: 0, jitter: 0, roundTripTime: 0, freezes: 0, framesPerSecond: null };
    let way = this.#way;
    stats.forEach((report) => {
      if (report.type === "outbound-rtp") this.#sent.set(report.id, report.packetsSent ?? 0);
      way = pairOf(report) ?? way;
    });
    if (way !== this.#way) this.#changeWay(way);
    stats.forEach((report) => {
      if (report.type === "inbound-rtp") this.#inbound(report, reading);
      else if (report.type === "remote-inbound-rtp") this.#remote(report);
      else if (report.type === "candidate-pair" && report.nominated) this.#roundTrips(report, "responsesReceived");
    });
    reading.lossOut = Math.max(this.#holds("video", now) ?? 0, this.#holds("audio", now) ?? 0);
    reading.lossOutNow = this.#fresh(this.#holds("video", now) === null ? "audio" : "video", now);
    reading.roundTripTime = this.#holds("trip", now) ?? 0;
    return reading;
  }

  /** @param {string} way */
  #changeWay(way) {
    if (this.#way) this.#settledAt = this.#readAt + SETTLE_MS;
    this.#held.clear();
    this.#way = way;
  }

  /** Whether the stream has carried packets all the time since its last reading or report. @param {string} id @param {boolean} carries packets now */
  #isUnbroken(id, carries) {
    const { readAt, pausedAt } = this.#streams.get(id) ?? { readAt: Infinity, pausedAt: -Infinity };
    this.#streams.set(id, { readAt: this.#readAt, pausedAt: carries ? pausedAt : this.#readAt });
    return readAt > Math.max(pausedAt, this.#settledAt);
  }

  /** The last reported value, while it is valid. @param {"video"|"audio"|"trip"} what @param {number} now */
  #holds(what, now) {
    const report = this.#held.get(what);
    return report && now - report.at < HOLDS_MS[what] ? report.value : null;
  }

  /** The value reported since the previous reading. @param {"video"|"audio"} what @param {number} now */
  #fresh(what, now) {
    const report = this.#held.get(what);
    return report?.at === now ? report.value : 0;
  }

  /** @param {any} report @param {Reading} reading */
  #inbound(report, reading) {
    const received = this.#delta(report, "packetsReceived");
    const lost = this.#delta(report, "packetsLost");
    reading.received += received;
    const isUnbroken = this.#isUnbroken(report.id, received > 0);
    if (isUnbroken && received + lost >= LEAST_PACKETS) reading.lossIn = Math.max(reading.lossIn, lost / (received + lost));
    if (received) reading.jitter = Math.max(reading.jitter, report.jitter ?? 0);
    if (report.kind === "video") this.#picture(report, reading);
  }

  /** @param {any} report @param {Reading} reading */
  #picture(report, reading) {
    const frames = this.#delta(report, "framesDecoded");
    reading.freezes += this.#delta(report, "freezeCount");
    if (report.framesDecoded && reading.seconds) reading.framesPerSecond = frames / reading.seconds;
  }

  /**
   * The peer's receiver reports. `fractionLost` covers one interval and excludes retransmitted packets, so the share of
   * packets lost since the previous report is considered too.
   * @param {any} report
   */
  #remote(report) {
    this.#roundTrips(report, "roundTripTimeMeasurements");
    const isNew = this.#delta(report, "timestamp") > 0;
    if (!this.#streams.has(report.id)) this.#isUnbroken(report.id, false); // the next one covers the time before the first reading
    if (!isNew) return;
    const known = this.#sent.get(report.localId);
    const sent = this.#delta({ id: report.id, sent: known }, "sent");
    const lost = this.#delta(report, "packetsLost");
    if (!this.#isUnbroken(report.id, known === undefined || sent > 0)) return;
    const share = sent >= LEAST_PACKETS ? Math.min(1, lost / sent) : 0;
    const value = Math.max(report.fractionLost ?? 0, share);
    this.#held.set(report.kind, { value, at: this.#readAt });
  }

  /** The mean of the round trips since the last reading. @param {any} report @param {string} counter */
  #roundTrips(report, counter) {
    const trips = this.#delta(report, counter);
    const total = this.#delta(report, "totalRoundTripTime");
    if (trips) this.#held.set("trip", { value: total / trips, at: this.#readAt });
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
