// @ts-check
/** The countdown of a call: computed from the server's timestamps, announced at one minute, thirty and ten seconds. */
import { assertive, polite } from "../announce.js";
import { clock, clockText } from "../clock.js";

/** @typedef {{state: string, remainingMs: number, serverNow: number}} ClockMessage */

const WARNINGS = [
  { ms: 60_000, say: polite, words: "One minute left." },
  { ms: 30_000, say: polite, words: "Thirty seconds left." },
  { ms: 10_000, say: assertive, words: "Ten seconds left." },
];

export class CallTimer {
  /** @type {ClockMessage} */ #last;
  #spokenBelow = Infinity;
  #look = () => { if (!document.hidden) this.draw(); };
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;

  /** @param {HTMLElement} face @param {HTMLElement} root carries data-remaining, milliseconds */
  constructor(face, root) {
    this.face = face;
    this.root = root;
    this.#last = { state: "connecting", remainingMs: Number(root.dataset.remaining ?? 0), serverNow: clock.now() };
    this.#timer = setInterval(() => this.draw(), 250);
    document.addEventListener("visibilitychange", this.#look); // timers of hidden tabs are throttled
  }

  get isRunning() { return this.#last.state === "running"; }

  get remainingMs() {
    const { remainingMs, serverNow } = this.#last;
    return Math.max(0, this.isRunning ? remainingMs - (clock.now() - serverNow) : remainingMs);
  }

  /** @param {ClockMessage} message call:clock or call:state */
  set(message) {
    this.#last = message;
    if (this.#spokenBelow === Infinity) this.#spokenBelow = this.remainingMs;
    this.draw();
  }

  draw() {
    const left = this.remainingMs;
    this.face.textContent = clockText(left);
    this.root.dataset.remaining = String(Math.round(left));
    this.root.classList.toggle("is-ending", left <= 30_000 && this.isRunning);
    const [due] = WARNINGS.filter(({ ms }) => left <= ms && ms < this.#spokenBelow).slice(-1);
    if (!due || !this.isRunning) return;
    this.#spokenBelow = due.ms;
    due.say(due.words);
  }

  stop() {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
  }
}
