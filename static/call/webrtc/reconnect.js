// @ts-check
/**
 * When to negotiate again. A second without packets: at once. A change of network: at once, once. `failed`: at once;
 * `disconnected`: as soon as packets have stalled. Then with growing delays while no media flow. One plan at a time.
 *
 * Once media have flowed, a side first asks the server whether it answers, and then the peer. An offer that reaches no one is
 * worse than none, because the connection often comes back by itself. While the socket or the peer is away, its return
 * continues the plan. Each request is answered: by the side that leads (see the engine) with an offer, by the other one with a
 * request. A side offers itself if its peer is there but does not do so.
 */
import { onOtherNetwork } from "../../network.js";

const PATIENCE_MS = 5000;
const MOST_MS = 10_000;
/** Between two requests, and between a restart and a request that came too late. */
const ASK_MS = 1000;
const HEED_MS = 4000;
/** Before the first media both may offer; the other side goes first. */
const YIELD_MS = 700;
/** After a change of network: without packets for that long, the way is gone. */
const QUIET_MS = 500;

export class Reconnect {
  /** Restarts since media flowed. */ tries = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #dueAt = Infinity;
  #progressedAt = -Infinity;
  /** When the peer was asked first and last, and when it last said anything. */ #firstAskedAt = Infinity;
  #askedAt = -Infinity;
  #heardAt = -Infinity;
  #isChecking = false;
  #isForced = false;
  #listening = new AbortController();

  /** @param {import("./engine.js").CallEngine} engine @param {{renegotiate: (isNew: boolean) => void, ask: () => void, check: () => Promise<boolean>}} steps */
  constructor(engine, steps) {
    this.engine = engine;
    this.steps = steps;
    onOtherNetwork(() => this.#networkChanged(), this.#listening.signal);
  }

  #networkChanged() {
    if (!this.engine.pc) return;
    this.#isForced = true;
    this.soon(QUIET_MS + 100);
  }

  /** Plans a look in `ms`; an earlier plan stands. @param {number} ms */
  soon(ms) {
    const dueAt = performance.now() + ms;
    if (dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => { this.#due(); }, ms);
  }

  /** A description was sent or received: give it time to work. */
  progressed() {
    this.#progressedAt = performance.now();
    this.#firstAskedAt = Infinity;
    this.#isForced = false;
  }

  /** The peer said something. */
  heard() {
    this.#heardAt = performance.now();
  }

  /** The peer or the socket is new: a negotiation in progress reaches no one. */
  forget() {
    this.#progressedAt = -Infinity;
  }

  /** The same, for a connection that has carried media. */
  resume() {
    this.forget();
    this.soon(0);
  }

  /** The peer asks for a restart. Not for one that is under way, nor in a request that was held up on its way. @param {number} ageMs */
  asked(ageMs) {
    const now = performance.now();
    if (ageMs > 2 * ASK_MS) return;
    if (!this.engine.leads) { if (now - this.#askedAt > ASK_MS / 2) this.#ask(); }
    else if (now - this.#progressedAt > ASK_MS) this.#restart();
  }

  async #due() {
    this.#dueAt = Infinity;
    if (this.#isChecking || this.#isIdle()) return;
    const yielding = this.engine.isEstablished || this.engine.leads ? 0 : PATIENCE_MS / 2;
    const patience = this.#progressedAt + PATIENCE_MS + yielding - performance.now();
    if (patience > 0 && !this.#isForced && !this.#hasFailed()) return this.soon(patience);
    if (!this.engine.isEstablished || this.#isUnheeded()) return this.#restart();
    this.#isChecking = true;
    const isThere = await this.steps.check();
    this.#isChecking = false;
    if (isThere && !this.#isIdle()) this.#ask();
  }

  /** Nothing to do: media flow, or there is no one to negotiate with. */
  #isIdle() {
    const { flow, isPeerHere } = this.engine;
    return !isPeerHere || (flow.isAlive && !this.#isForced);
  }

  #ask() {
    this.#askedAt = performance.now();
    this.#firstAskedAt = Math.min(this.#firstAskedAt, this.#askedAt);
    this.steps.ask();
    this.soon(ASK_MS);
  }

  /** The peer is there, and does not do it: its version may not know how. */
  #isUnheeded() {
    return performance.now() - this.#firstAskedAt > HEED_MS && this.#heardAt > this.#firstAskedAt;
  }

  /**
   * While the browser takes a way that is gone for "connected", it would hold on to it for some seconds after an ICE restart
   * (libwebrtc: 3.5 s), so a new connection is faster.
   */
  #restart() {
    const { pc, flow } = this.engine;
    const holdsOn = pc?.connectionState === "connected" && flow.silentMs > QUIET_MS;
    this.steps.renegotiate(holdsOn || this.tries % 4 === 3);
    this.progressed();
    this.soon(Math.min(MOST_MS, PATIENCE_MS * 1.25 ** this.tries));
    this.tries += 1;
  }

  #hasFailed() {
    const { pc } = this.engine;
    return pc?.connectionState === "failed" || pc?.iceConnectionState === "failed";
  }

  /** @param {RTCPeerConnection} pc */
  stateChanged(pc) {
    const { isEstablished, leads } = this.engine;
    const isLost = this.#hasFailed() || [pc.connectionState, pc.iceConnectionState].includes("disconnected");
    if (isLost) this.soon(isEstablished || leads ? 0 : YIELD_MS);
  }

  /** Media flow again. */
  resumed() {
    this.tries = 0;
    this.#firstAskedAt = Infinity;
    if (this.#isForced) return;
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#listening.abort();
  }
}
