// @ts-check
/**
 * How much video a connection can carry. Steps down fast (every 3 s while the connection is weak): lower bitrate,
 * smaller picture, own video paused, audio only. Steps up slowly (after 8 good seconds per step), and more slowly after
 * a step up that failed. An unsteady connection costs at most resolution. Audio is never reduced. The user's choice wins.
 */

/** @typedef {import("../webrtc/transceivers.js").VideoLimit} VideoLimit */
/** @typedef {"auto"|"full"|"saver"|"sound"} Choice */
/** @typedef {{name: string, limit: VideoLimit, wantsVideo: boolean}} Level */

/** @type {readonly [Level, ...Level[]]} */
export const LEVELS = [
  { name: "full", limit: { maxBitrate: 1_200_000, scaleResolutionDownBy: 1, active: true }, wantsVideo: true },
  { name: "bitrate", limit: { maxBitrate: 450_000, scaleResolutionDownBy: 1, active: true }, wantsVideo: true },
  { name: "scale", limit: { maxBitrate: 200_000, scaleResolutionDownBy: 2, active: true }, wantsVideo: true },
  { name: "paused", limit: { maxBitrate: 200_000, scaleResolutionDownBy: 2, active: false }, wantsVideo: true },
  { name: "sound", limit: { maxBitrate: 200_000, scaleResolutionDownBy: 2, active: false }, wantsVideo: false },
];
const LAST = LEVELS.length - 1;
const SMALL = 2;
const CHOSEN = { full: 0, saver: SMALL, sound: LAST };
const DOWN_SECONDS = 3;
const UNSTEADY_SECONDS = 8;
const UP_SECONDS = 8;
const MOST_UP_SECONDS = 64;
/** A step up that is undone sooner than this has failed. */
const TRIAL_SECONDS = 12;
/** A longer reading (a sleeping tab) counts as this long. */
const MOST_STEP_SECONDS = 2;

export class BitrateControl {
  /** @type {Choice} */ choice = "auto";
  #step = 0;
  #weak = 0;
  #unsteady = 0;
  #good = 0;
  #patience = UP_SECONDS;
  #sinceUp = TRIAL_SECONDS;

  /** @returns {Level} */
  get level() {
    return LEVELS[this.choice === "auto" ? this.#step : CHOSEN[this.choice]] ?? LEVELS[0];
  }

  /** One more reading. @param {0|1|2} grade of the path @param {number} seconds it stands for @returns {boolean} whether the level has changed */
  take(grade, seconds) {
    const before = this.level;
    this.#count(grade, Math.min(seconds, MOST_STEP_SECONDS));
    if (this.#weak >= DOWN_SECONDS) this.#down(LAST);
    else if (this.#unsteady >= UNSTEADY_SECONDS) this.#down(SMALL);
    else if (this.#good >= this.#patience) this.#up();
    return this.level !== before;
  }

  /** @param {0|1|2} grade @param {number} seconds */
  #count(grade, seconds) {
    this.#weak = grade === 2 ? this.#weak + seconds : 0;
    this.#unsteady = grade >= 1 ? this.#unsteady + seconds : 0;
    this.#good = grade === 0 ? this.#good + seconds : 0;
    this.#sinceUp += seconds;
    if (this.#sinceUp > MOST_UP_SECONDS) this.#patience = UP_SECONDS;
  }

  /** @param {number} lowest */
  #down(lowest) {
    this.#weak = this.#unsteady = 0;
    if (this.#step >= lowest) return;
    this.#step += 1;
    if (this.#sinceUp < TRIAL_SECONDS) this.#patience = Math.min(MOST_UP_SECONDS, this.#patience * 2);
    this.#sinceUp = TRIAL_SECONDS;
  }

  #up() {
    this.#good = 0;
    if (this.#step === 0) return;
    this.#step -= 1;
    this.#sinceUp = 0;
  }

  /** @param {Choice} choice @returns {boolean} whether the level has changed */
  choose(choice) {
    const before = this.level;
    this.choice = choice;
    return this.level !== before;
  }
}
