// @ts-check
/** Devices that the system holds back for a while: a phone call, the lock screen, a hardware switch. */

/** @typedef {import("../troubles.js").Kind} Kind */

/** Systems sometimes take a device away for a moment; only longer interruptions are reported. */
const PAUSED_MS = 400;

export class SystemPauses {
  /** @type {Map<Kind, MediaStreamTrack>} */ #watched = new Map();
  /** @type {Set<Kind>} */ #paused = new Set();
  /** @type {Partial<Record<Kind, ReturnType<typeof setTimeout>>>} */ #timers = {};

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** @returns {Kind[]} */
  get kinds() { return [...this.#paused]; }

  /** The track in use now; none is watched after null. @param {Kind} kind @param {MediaStreamTrack|null} track */
  watch(kind, track) {
    clearTimeout(this.#timers[kind]);
    this.#paused.delete(kind);
    this.#watched.delete(kind);
    if (!track) return;
    this.#watched.set(kind, track);
    track.onmute = () => this.#pause(kind, track, true);
    track.onunmute = () => this.#pause(kind, track, false);
    if (track.muted) this.#pause(kind, track, true);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track @param {boolean} isPaused */
  #pause(kind, track, isPaused) {
    clearTimeout(this.#timers[kind]);
    this.#timers[kind] = setTimeout(() => {
      if (this.#watched.get(kind) !== track) return;
      if (isPaused) this.#paused.add(kind);
      else this.#paused.delete(kind);
      this.changed();
    }, isPaused ? PAUSED_MS : 0);
  }
}
