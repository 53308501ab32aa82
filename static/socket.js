// @ts-check
/**
 * One JSON WebSocket that reconnects automatically; nothing else.
 *
 * Every message is dispatched as a CustomEvent named by its `type`, on the Socket and on document.body, with the message
 * as detail. The state of the connection is the event `socket:status`, detail {path, status, code}. Reconnects with
 * jittered backoff (0.3 s up to `mostMs`), immediately when the network or the tab returns, and never after a close code
 * that forbids it (4401 4403 4404 4409). A connection that does not open in time, or does not answer a ping within
 * `silentMs`, is replaced: a dead tunnel sends no close. Does not queue: `send` returns whether the message was sent.
 */
import { clock } from "./clock.js";
import { onOtherNetwork, onOtherSpeed } from "./network.js";

/** @typedef {{type: string, [field: string]: any}} Message */
/** @typedef {"connecting"|"open"|"waiting"|"closed"} Status */

const FINAL_CODES = [4401, 4403, 4404, 4409];
const LEAST_MS = 300;
const MOST_MS = 8000;
const PING_MS = 20_000;
const SILENT_MS = 8000;
const HANDSHAKE_MS = 12_000;
const CHECK_MS = 600;
const ANSWERS = ["pong", "socket:status"];

/** @returns {string} crypto.randomUUID is missing on plain http */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Socket extends EventTarget {
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {Status} */ status = "closed";
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #retry;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #pinger;
  /** For the handshake, then for the answer to a ping. @type {ReturnType<typeof setTimeout>|undefined} */ #patience;
  /** @type {AbortController|null} */ #listening = null;
  #tries = 0;
  #pingSentAt = 0;
  #roundTripMs = 0;
  #openedAt = 0;
  /** Whether a connection has ever succeeded here. */ hasOpened = false;
  /** Messages before `start`. @type {Message[]|null} */ #held = null;
  /** The newest `state`, for modules that load after it came. @type {Message|null} */ state = null;

  /**
   * `hurryMs` is the time for the handshake of the first attempts to reconnect: the kernel sends its first packet again after
   * one second, then after two, four, so a new attempt notices the return of the network sooner.
   * @param {string} path @param {{pingMs?: number, silentMs?: number, mostMs?: number, hurryMs?: number, finalCodes?: number[]}} [options]
   */
  constructor(path, { pingMs = PING_MS, silentMs = SILENT_MS, mostMs = MOST_MS, hurryMs = HANDSHAKE_MS, finalCodes = [] } = {}) {
    super();
    this.path = path;
    this.pingMs = pingMs;
    this.silentMs = silentMs;
    this.mostMs = mostMs;
    this.hurryMs = hurryMs;
    this.finalCodes = [...FINAL_CODES, ...finalCodes];
  }

  /** Until it is closed: what is closed can be freed. */
  #listen() {
    const { signal } = (this.#listening = new AbortController());
    onOtherNetwork(() => this.#networkChanged(), signal);
    onOtherSpeed(() => { this.check(); }, signal);
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
  }

  open() {
    clearTimeout(this.#retry);
    if (!this.#listening) this.#listen();
    if (this.#socket) this.#drop(this.#socket);
    const socket = new WebSocket(new URL(this.path, location.href.replace(/^http/, "ws")));
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#closed(event.code);
    this.#patience = setTimeout(() => this.#again(), this.#handshakeMs());
    this.#setStatus("connecting");
  }

  /** Longer after each few attempts: a slow network needs four round trips. */
  #handshakeMs() {
    const least = Math.max(this.hurryMs, 8 * this.#roundTripMs);
    return this.hasOpened ? Math.min(HANDSHAKE_MS, least * 2 ** Math.floor(this.#tries / 3)) : HANDSHAKE_MS;
  }

  /** Opens before anything listens. */
  openEarly() {
    this.#held = [];
    this.open();
  }

  /** Opens, or dispatches the messages since `openEarly`. */
  start() {
    if (!this.#held) return this.open();
    const held = this.#held;
    this.#held = null;
    for (const message of held) this.#dispatch(message);
  }

  #again() {
    this.#tries += 1;
    this.open();
  }

  /** Closes permanently; `open` starts again. */
  close() {
    clearTimeout(this.#retry);
    clearInterval(this.#pinger);
    if (this.#socket) this.#drop(this.#socket);
    this.#end(1000);
  }

  /** @param {number} code */
  #end(code) {
    this.#listening?.abort();
    this.#listening = null;
    this.#setStatus("closed", code);
  }

  /** @param {Message} message @returns {boolean} whether it went out */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #opened() {
    this.#openedAt = performance.now();
    this.hasOpened = true;
    this.#pingSentAt = 0;
    this.#setStatus("open");
    this.#ping();
    clearInterval(this.#pinger);
    this.#pinger = setInterval(() => this.#ping(), this.pingMs);
  }

  #ping() {
    if (this.#pingSentAt || !this.send({ type: "ping" })) return;
    this.#pingSentAt = performance.now();
    this.#expectAnswer(this.silentMs);
  }

  /** @param {number} ms */
  #expectAnswer(ms) {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.open(), ms);
  }

  /**
   * Whether the server answers now, which it must within 0.6 s, or three of its usual round trips. Otherwise the connection
   * is replaced; while there is none, the next attempt is made at once.
   * @returns {Promise<boolean>}
   */
  async check() {
    if (this.status === "waiting") this.open();
    if (this.status !== "open") return false;
    this.#ping();
    this.#expectAnswer(Math.max(CHECK_MS, 3 * this.#roundTripMs));
    return new Promise((resolve) => {
      const settle = (/** @type {Event} */ { type }) => {
        for (const name of ANSWERS) this.removeEventListener(name, settle);
        resolve(type === "pong");
      };
      for (const name of ANSWERS) this.addEventListener(name, settle);
    });
  }

  #answered() {
    this.#pingSentAt = 0;
    clearTimeout(this.#patience);
  }

  /** @param {string} text */
  #received(text) {
    const message = /** @type {Message} */ (JSON.parse(text));
    const sentAt = message.type === "pong" ? this.#pingSentAt : 0;
    if (sentAt) this.#roundTripMs = performance.now() - sentAt;
    if (message.type === "pong") this.#answered();
    // The relay passes on signalling unread: a field of it is the peer's word.
    if (message.serverNow !== undefined && !message.type.startsWith("rtc:")) clock.learn(message.serverNow, sentAt || undefined);
    if (message.type === "state") this.state = message;
    this.#tries = 0;
    this.#dispatch(message);
  }

  /** @param {number} code */
  #closed(code) {
    clearInterval(this.#pinger);
    clearTimeout(this.#patience);
    this.#socket = null;
    if (this.finalCodes.includes(code)) return this.#end(code);
    this.#setStatus("waiting", code);
    const most = code === 4429 ? MOST_MS : Math.min(this.mostMs, LEAST_MS * 2 ** this.#tries);
    this.#tries += 1;
    this.#retry = setTimeout(() => this.open(), most * (0.5 + Math.random() / 2));
  }

  /** After a change of address the old socket may look open: reconnect, unless that has just happened. */
  #networkChanged() {
    if (this.status === "waiting" || (this.status === "open" && performance.now() - this.#openedAt > 2000)) this.open();
  }

  #visibilityChanged() {
    if (document.visibilityState !== "visible") return;
    if (this.status === "waiting") this.open();
    else if (this.status === "open") this.#ping();
  }

  /** @param {WebSocket} socket */
  #drop(socket) {
    clearTimeout(this.#patience);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
  }

  /** @param {Status} status @param {number} [code] */
  #setStatus(status, code) {
    this.status = status;
    this.#dispatch({ type: "socket:status", path: this.path, status, code });
  }

  /** @param {Message} detail */
  #dispatch(detail) {
    if (this.#held) return void this.#held.push(detail);
    for (const target of [this, document.body]) target.dispatchEvent(new CustomEvent(detail.type, { detail }));
  }
}

/**
 * The presence socket of this page, opened by ringing/ring.js. With `tab`, a new connection takes over the invite of an
 * older one that only looks open.
 */
export const invites = new Socket(`/ws/invites?tab=${newId()}`);

/**
 * Subscribes to one type of message.
 * @param {EventTarget} source @param {string} type @param {(message: Message) => void} listener @param {AbortSignal} [signal] ends it
 */
export function on(source, type, listener, signal) {
  source.addEventListener(type, (event) => listener(/** @type {CustomEvent<Message>} */ (event).detail), signal && { signal });
}
