// @ts-check
/**
 * The relay socket of a call. The peer waits: a dead connection is noticed within ten seconds, and a lost one tried again every
 * second. `call:end` goes by HTTP as well if the socket has not answered it in a second, until the server has taken it;
 * then the socket reports `call:end`, as if it had received it.
 */
import { Socket } from "../../socket.js";

/** @typedef {import("../../socket.js").Message} Message */

const IN_A_CALL = { pingMs: 5000, silentMs: 5000, mostMs: 1000, hurryMs: 2000 };
const ANSWER_MS = 1000;
const REQUEST_MS = 4000;

export class RelaySocket extends Socket {
  #isEnding = false;

  /** @param {string} callId */
  constructor(callId) {
    super(`/ws/calls/${callId}`, { ...IN_A_CALL, finalCodes: [1000] });
    this.callId = callId;
  }

  /** @override @param {Message} message @returns {boolean} whether it went out */
  send(message) {
    if (message.type === "call:end") this.#end();
    return super.send(message);
  }

  async #end() {
    if (this.#isEnding) return;
    this.#isEnding = true;
    do await new Promise((resolve) => { setTimeout(resolve, ANSWER_MS); });
    while (this.status !== "closed" && !(await this.#post()));
    if (this.status !== "closed") this.dispatchEvent(new CustomEvent("call:end", { detail: { type: "call:end" } }));
  }

  /** @returns {Promise<boolean>} whether the call has ended */
  async #post() {
    const patience = new AbortController(); // AbortSignal.timeout is newer than the browsers we serve
    const timer = setTimeout(() => patience.abort(), REQUEST_MS);
    const token = /** @type {HTMLMetaElement|null} */ (document.querySelector('meta[name="xsrf"]'))?.content ?? "";
    const headers = { Accept: "application/json", "X-XSRFToken": token };
    const request = { method: "POST", headers, keepalive: true, signal: patience.signal };
    const answer = await fetch(`/calls/${this.callId}/end`, request).catch(() => null);
    clearTimeout(timer);
    return answer !== null && (answer.ok || answer.status === 404);
  }
}
