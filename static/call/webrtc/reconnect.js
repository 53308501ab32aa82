// @ts-check
/**
 * When to renegotiate. `disconnected`: after 2 s, and only if bytes have really stalled; `failed`: immediately; after a
 * network change: once, early; then with growing delays while no media flow. One plan at a time.
 */

const PATIENCE_MS = 5000;
const MOST_MS = 10_000;
const DOUBT_MS = 2000;

export class Reconnect {
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #dueAt = Infinity;
  #tries = 0;
  #progressedAt = -Infinity;
  #isForced = false;
  #listening = new AbortController();

  /** @param {import("./engine.js").CallEngine} engine @param {() => void} renegotiate */
  constructor(engine, renegotiate) {
    this.engine = engine;
    this.renegotiate = renegotiate;
    window.addEventListener("online", () => this.#networkChanged(), { signal: this.#listening.signal });
    this.#watchConnectionType();
  }

  /** navigator.connection also reports every change of speed; only a change of the network type matters. */
  #watchConnectionType() {
    const connection = /** @type {any} */ (navigator).connection;
    let known = connection?.type;
    connection?.addEventListener?.("change", () => {
      if (connection.type !== known) this.#networkChanged();
      known = connection.type;
    }, { signal: this.#listening.signal });
  }

  #networkChanged() {
    if (!this.engine.pc) return;
    this.#isForced = true;
    this.soon(300);
  }

  /** Plans a look in `ms`; an earlier plan stands. @param {number} ms */
  soon(ms) {
    const dueAt = performance.now() + ms;
    if (dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#due(), ms);
  }

  /** A description was sent or received: give it time to work. */
  progressed() {
    this.#progressedAt = performance.now();
  }

  /** The peer is new: a negotiation in progress reaches no one. */
  forget() {
    this.#progressedAt = -Infinity;
  }

  #due() {
    this.#dueAt = Infinity;
    const { flow, isPeerHere } = this.engine;
    const isFine = flow.isFlowing && !this.#isForced;
    if (isFine || !isPeerHere) return;
    const patience = this.#progressedAt + PATIENCE_MS - performance.now();
    if (patience > 0 && !this.#isForced && !this.#hasFailed()) return this.soon(patience);
    this.#isForced = false;
    this.renegotiate();
    this.soon(Math.min(MOST_MS, PATIENCE_MS * 1.25 ** this.#tries));
    this.#tries += 1;
  }

  #hasFailed() {
    const { pc } = this.engine;
    return pc?.connectionState === "failed" || pc?.iceConnectionState === "failed";
  }

  /** @param {RTCPeerConnection} pc */
  stateChanged(pc) {
    const yielding = this.engine.isPolite ? 700 : 0; // the impolite side restarts first; glare is only the fallback
    if (this.#hasFailed()) this.soon(yielding);
    else if (pc.connectionState === "disconnected" || pc.iceConnectionState === "disconnected")
      setTimeout(() => { if (pc === this.engine.pc && this.engine.flow.silentMs > DOUBT_MS) this.soon(yielding); }, DOUBT_MS);
  }

  /** @param {boolean} isFlowing */
  flowChanged(isFlowing) {
    if (!isFlowing) return this.soon(this.engine.isPolite ? 1200 : 500);
    this.#tries = 0;
    if (this.#isForced) return;
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#listening.abort();
  }
}
