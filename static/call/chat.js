// @ts-check
/**
 * The chat of a call. A message is sent again with the same `id` until the server answers, so it is neither lost nor
 * duplicated. Messages are shown as text only. Empty messages and more than 500 characters are not sent.
 */
import { polite } from "../announce.js";
import "./keyboard.js";
import { isComposing } from "./shortcuts.js";
import { newId, on } from "../socket.js";

/** @typedef {import("../socket.js").Message} Message */

const REPEAT_MS = 3000;
const MOST = 500;
const MOST_REPEATED = 20;
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

export class Chat {
  /** Those on the screen, by message id. @type {Map<string, HTMLElement>} */ #shown = new Map();
  /** Set after the first state: messages that are new in a later one were sent during an outage. */ #isFilled = false;
  /** Lines not answered yet, in order. @type {Map<string, {text: string, bubble: HTMLElement}>} */ #pending = new Map();
  #unread = 0;

  /** @param {HTMLElement} panel @param {HTMLElement} badge @param {import("../socket.js").Socket} socket @param {string} peerName */
  constructor(panel, badge, socket, peerName) {
    this.panel = panel;
    this.badge = badge;
    this.socket = socket;
    this.peerName = peerName;
    this.log = /** @type {HTMLElement} */ (panel.querySelector(".chat-log"));
    this.form = /** @type {HTMLFormElement} */ (panel.querySelector("form"));
    this.input = /** @type {HTMLTextAreaElement} */ (panel.querySelector("textarea"));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#write(); });
    this.input.addEventListener("keydown", (event) => this.#enter(event));
    on(socket, "call:state", ({ messages }) => this.#catchUp(messages ?? []));
    on(socket, "chat:message", (message) => this.#hear(message, true));
    on(socket, "error", (message) => this.#refused(message));
    this.timer = setInterval(() => this.#repeat(), REPEAT_MS);
  }

  /** @param {KeyboardEvent} event */
  #enter(event) {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    this.#write();
  }

  #write() {
    const text = this.input.value.trim().slice(0, MOST);
    if (!text) return;
    const id = newId();
    const bubble = this.#bubble(text, true, "Sending…");
    this.#pending.set(id, { text, bubble });
    this.socket.send({ type: "chat:message", id, text });
    this.input.value = "";
    this.input.focus();
  }

  #repeat() {
    for (const [id, { text }] of [...this.#pending].slice(0, MOST_REPEATED)) this.socket.send({ type: "chat:message", id, text });
  }

  /** All lines so far, in their order: what was lost in an outage takes its place among the others. @param {Message[]} messages */
  #catchUp(messages) {
    const missing = new Set(messages.map(({ messageId }) => messageId).filter((id) => !this.#shown.has(id)));
    for (const message of messages) this.#hear(message, this.#isFilled);
    this.#isFilled = true;
    /** @type {HTMLElement|undefined} */ let next;
    for (const { messageId } of [...messages].reverse()) {
      const bubble = this.#shown.get(messageId);
      if (bubble && next && missing.has(messageId)) next.before(bubble);
      next = bubble;
    }
    this.#repeat();
  }

  /** @param {Message} message @param {boolean} isNew */
  #hear({ messageId, from, text, at, id }, isNew) {
    const mine = from === document.body.dataset.userId;
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id !== undefined) this.#pending.delete(id);
    if (pending) pending.bubble.remove();
    if (this.#shown.has(messageId)) return;
    this.#shown.set(messageId, this.#bubble(text, mine, TIME.format(new Date(at))));
    if (isNew && !mine) this.#news(text);
  }

  /** Too fast is a matter of seconds; anything else is final. @param {Message} message */
  #refused({ id, code, message, retryAfter }) {
    const pending = this.#pending.get(id);
    if (!pending || ["unavailable", "internal"].includes(code)) return;
    const waits = code === "too_many" && retryAfter < 60;
    if (!waits) this.#pending.delete(id);
    const meta = pending.bubble.querySelector(".bubble-meta");
    if (meta) meta.textContent = waits ? "Waits a moment…" : `Not sent: ${message}`;
  }

  /** @param {string} text */
  #news(text) {
    polite(`${this.peerName}: ${text}`);
    if (this.panel.hidden) this.#count(this.#unread + 1);
  }

  /** @param {number} unread */
  #count(unread) {
    this.#unread = unread;
    this.badge.hidden = unread === 0;
    this.badge.textContent = String(unread);
    this.badge.setAttribute("aria-label", `${unread} unread`);
  }

  /** @param {string} text @param {boolean} isMine @param {string} meta */
  #bubble(text, isMine, meta) {
    const item = document.createElement("li");
    const small = document.createElement("span");
    item.className = isMine ? "bubble bubble-mine" : "bubble";
    small.className = "bubble-meta";
    small.textContent = meta;
    item.dir = "auto";
    item.append(text, small);
    this.log.append(item);
    this.log.scrollTop = this.log.scrollHeight;
    return item;
  }

  /** Called when the panel opens. */
  opened() {
    this.#count(0);
    this.log.scrollTop = this.log.scrollHeight;
    this.input.focus();
  }

  stop() {
    clearInterval(this.timer);
  }
}
