// @ts-check
/**
 * The quality of the connection in three grades, derived from the readings of stats.js. A worse grade needs two
 * readings, a better one three, so a change shows within 6 s and a single outlier does not.
 */

/** @typedef {import("./stats.js").Reading} Reading */
/** @typedef {0|1|2} Grade 0 good, 1 unsteady, 2 weak */
/** @typedef {"unknown"|"good"|"unsteady"|"weak"} Word */

/** @type {readonly Word[]} */
const WORDS = ["good", "unsteady", "weak"];
const WINDOW = 2;
const WORSE_AFTER = 2;
const BETTER_AFTER = 3;
/** The thresholds of "unsteady" and "weak". */
const LIMITS = { loss: [0.03, 0.1], jitter: [0.06, 0.15], roundTripTime: [0.4, 1], freezes: [2, 4] };
/** As a share of the best frame rate of this call. */
const SLOW = 0.4;
const STANDING = 0.15;
const LEAST_PER_SECOND = 10;

/** @param {number} value @param {number[]} limits @returns {Grade} */
const grade = (value, [unsteady = Infinity, weak = Infinity]) => (value >= weak ? 2 : value >= unsteady ? 1 : 0);

/** @param {Grade[]} grades @returns {Grade} */
const worst = (...grades) => /** @type {Grade} */ (Math.max(...grades));

/** @param {readonly Reading[]} readings @param {(reading: Reading) => number} pick */
const mean = (readings, pick) => readings.reduce((sum, one) => sum + pick(one), 0) / Math.max(1, readings.length);

/** The quality of what we send: loss as the peer reports it, and round trips. @param {Reading} reading @returns {Grade} */
export function gradeOut({ lossOut, roundTripTime }) {
  return worst(grade(lossOut, LIMITS.loss), grade(roundTripTime, LIMITS.roundTripTime));
}

/** The quality of what arrives here. @param {readonly Reading[]} readings @param {number} bestRate @returns {Grade} */
export function gradeIn(readings, bestRate) {
  const freezes = readings.reduce((sum, one) => sum + one.freezes, 0);
  const seconds = mean(readings, (one) => one.seconds) * readings.length;
  const isThin = readings.reduce((sum, one) => sum + one.received, 0) < LEAST_PER_SECOND * seconds;
  return worst(
    grade(mean(readings, (one) => one.lossIn), LIMITS.loss), grade(mean(readings, (one) => one.jitter), LIMITS.jitter),
    grade(freezes, LIMITS.freezes), gradeRate(readings, bestRate), isThin ? 2 : 0,
  );
}

/** @param {readonly Reading[]} readings @param {number} bestRate @returns {Grade} */
function gradeRate(readings, bestRate) {
  const rates = readings.flatMap((one) => (one.framesPerSecond === null ? [] : [one.framesPerSecond]));
  if (rates.length < readings.length || bestRate === 0) return 0;
  const share = Math.max(...rates) / bestRate;
  return share < STANDING ? 2 : share < SLOW ? 1 : 0;
}

export class ConnectionGrade {
  /** @type {Word} */ word = "unknown";
  /** The grade of the network path, for bitrate.js: without freezes, which may be the device's fault. @type {Grade} */ path = 0;
  /** @type {Reading[]} */ #window = [];
  /** @type {Grade[]} */ #grades = [];
  #bestRate = 0;

  /** One more reading. @param {Reading} reading @returns {boolean} whether the word has changed */
  take(reading) {
    this.#window = [...this.#window, reading].slice(-WINDOW);
    this.#bestRate = Math.max(this.#bestRate * 0.98, reading.framesPerSecond ?? 0);
    this.path = worst(gradeOut(reading), grade(mean(this.#window, (one) => one.lossIn), LIMITS.loss));
    const sent = gradeOut({ ...reading, lossOut: Math.max(...this.#window.map((one) => one.lossOutNow)) });
    this.#grades = [worst(sent, gradeIn(this.#window, this.#bestRate)), ...this.#grades].slice(0, BETTER_AFTER);
    return this.#settle();
  }

  #settle() {
    const now = WORDS.indexOf(this.word);
    const worse = Math.min(...this.#grades.slice(0, WORSE_AFTER));
    const better = Math.max(...this.#grades);
    if (this.#grades.length < WORSE_AFTER) return false;
    if (now < 0 || worse > now) return this.#change(worse);
    return this.#grades.length === BETTER_AFTER && better < now && this.#change(better);
  }

  /** @param {number} index */
  #change(index) {
    this.word = WORDS[index] ?? "unknown";
    return true;
  }

  /** Resets the grade while no media flow. @returns {boolean} whether the word has changed */
  reset() {
    const wasKnown = this.word !== "unknown";
    [this.word, this.path, this.#window, this.#grades, this.#bestRate] = ["unknown", 0, [], [], 0];
    return wasKnown;
  }
}
