// @ts-check
/**
 * /room: one card at a time, a length, and "Talk to …". Cards of people who leave disappear immediately, and focus stays
 * where it was. Without the socket for 5 s, or while offline by choice, the queue is polled every 15 s. The order on the
 * screen never jumps.
 */
import { polite } from "../announce.js";
import { CardStack, isOnCooldown, personOf } from "./cards.js";
import * as presence from "./presence.js";
import { fetchQueue } from "./queue.js";
import * as ring from "../ringing/ring.js";
import { shortcutOf } from "../call/shortcuts.js";
import { invites, on } from "../socket.js";
import { offerNotifications } from "../ringing/notifications.js";
import { chooseSeconds, chosenSeconds, rememberedSeconds, rememberSeconds } from "../ringing/duration.js";
import { lengthText } from "../clock.js";

const POLL_MS = 15_000;
const CARDS_AHEAD = 20;
const EMPTY = {
  online: "Stay online, and we will ring you when someone wants to talk. New people appear here by themselves.",
  away: "Go online, and we will ring you when someone wants to talk.",
};

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The room lacks #${id}`);
  return found;
}

/** The first page of this document may be older than the socket: no update has what changed in between. */
let mayBeOld = true;

class RoomPage {
  #left = new AbortController();
  #talk = /** @type {HTMLButtonElement} */ (element("talk"));
  #lengths = element("lengths");
  #knowsOfMore = element("queue-cursor").dataset.more === "yes";
  #online = Number(element("online-count").dataset.count);
  /** Fetches run one after the other, so no update is lost and no page is added twice. */
  #fetching = Promise.resolve();
  /** @type {Set<() => Promise<void>>} */ #waiting = new Set();
  #refresh = () => this.#reload();
  #more = () => this.#append();

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    root.classList.add("is-live");
    chooseSeconds(this.#lengths, rememberedSeconds(this.#lengths));
    this.stack = new CardStack(element("queue-cards"), (card) => this.#shown(card));
    offerNotifications(element("offer-notifications"), presence.tellHidden);
    this.#listen(this.#left.signal);
    if (mayBeOld && invites.state) this.#inTurn(this.#refresh);
    mayBeOld = false;
    this.stack.show();
    this.timers = [setInterval(() => this.#beat(), 1000), setInterval(() => this.#poll(), POLL_MS)];
    presence.enter();
    this.#showPresence();
  }

  stop() {
    this.#left.abort();
    this.timers.forEach(clearInterval);
  }

  get #isLeft() { return this.#left.signal.aborted; }

  /** @param {HTMLElement|null} card */
  #shown(card) {
    element("queue-empty").hidden = card !== null;
    element("card-stack-controls").hidden = card === null;
    element("card-stack-place").textContent = this.stack.place;
    for (const step of this.root.querySelectorAll("[data-step]")) /** @type {HTMLElement} */ (step).hidden = this.stack.cards.length < 2;
    if (card) this.#label(card);
  }

  /** @param {HTMLElement} card */
  #label(card) {
    const isWaiting = isOnCooldown(card);
    const pronoun = card.dataset.pronoun || "them";
    this.#talk.setAttribute("aria-disabled", String(isWaiting));
    element("talk-words").textContent = isWaiting ? "Not yet" : `Talk to ${pronoun}`;
    element("talk-more").textContent = `: ${card.dataset.name}, ${lengthText(chosenSeconds(this.#lengths))}`;
  }

  /** @param {1|-1} step */
  #move(step) {
    this.stack.move(step);
    this.#fill();
    element("queue-note").textContent = "";
    const card = this.stack.current;
    if (card) polite(`${card.dataset.name}, ${this.stack.place}${isOnCooldown(card) ? ", not available to you yet" : ""}`);
  }

  /** Says that the person just looked at is gone. @param {string[]} names */
  #farewell(names) {
    const text = names.map((name) => `${name} has just left.`).join(" ");
    if (!text) return;
    element("queue-note").textContent = text;
    polite(this.stack.current ? `${text} Now: ${this.stack.current.dataset.name}.` : text);
  }

  /** Runs after what is under way; the same wish twice is one. @param {() => Promise<void>} work */
  #inTurn(work) {
    if (this.#waiting.has(work)) return;
    this.#waiting.add(work);
    this.#fetching = this.#fetching.then(() => { this.#waiting.delete(work); return this.#isLeft ? undefined : work(); });
  }

  /** More people behind the cursor. @returns {Promise<void>} */
  async #append() {
    const cursor = element("queue-cursor");
    const page = await fetchQueue(cursor.dataset.cursor);
    if (!page || this.#isLeft) return;
    cursor.dataset.cursor = page.cursor;
    this.stack.merge(page.articles, false);
    this.#knowsOfMore = page.hasMore;
    if (page.articles.length) this.#fill();
  }

  /** New cards are appended, but only up to one page ahead of the current card. */
  #fill() {
    if (this.#knowsOfMore && this.stack.ahead < CARDS_AHEAD) this.#inTurn(this.#more);
  }

  /** Loads the complete state: after a reconnect or a ring, or while there is no socket. */
  async #reload() {
    const page = await fetchQueue();
    if (!page || this.#isLeft) return;
    element("queue-cursor").dataset.cursor = page.cursor;
    this.#farewell(this.stack.merge(page.articles, !page.hasMore));
    this.#knowsOfMore = page.hasMore;
    this.#fill();
  }

  /** @param {number} count */
  #countOnline(count) {
    this.#online = count;
    element("online-count").textContent = count === 1 ? "1 person online" : `${count} people online`;
  }

  #showPresence() {
    if (invites.status === "open" && this.#online === 0) this.#countOnline(1);
    element("empty-words").textContent = EMPTY[presence.isAvailable() ? "online" : "away"];
  }

  #ask() {
    const card = this.stack.current;
    if (!card || isOnCooldown(card)) return;
    ring.invite(personOf(card), chosenSeconds(this.#lengths));
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    on(invites, "queue:update", ({ left, more: hasMore, onlineUsers }) => {
      this.#farewell(this.stack.remove(left ?? []));
      this.#countOnline(onlineUsers);
      this.#knowsOfMore = hasMore;
      this.#fill();
    }, signal);
    on(invites, "state", () => this.#inTurn(this.#refresh), signal);
    document.body.addEventListener("ring:over", () => this.#inTurn(this.#refresh), { signal });
    signal.addEventListener("abort", presence.watchPresence(() => this.#showPresence()));
    document.addEventListener("keydown", (event) => {
      const step = /** @type {Record<string, 1|-1>} */ ({ ArrowRight: 1, ArrowLeft: -1 })[shortcutOf(event)];
      if (step) this.#move(step);
    }, { signal });
    this.#talk.addEventListener("click", () => this.#ask());
    for (const step of this.root.querySelectorAll("[data-step]"))
      step.addEventListener("click", () => this.#move(step.getAttribute("data-step") === "next" ? 1 : -1));
    this.#lengths.addEventListener("change", () => { rememberSeconds(chosenSeconds(this.#lengths)); this.stack.show(); });
  }

  /** Runs once a second and computes everything from timestamps. */
  #beat() {
    this.stack.tick();
    if (this.stack.current) this.#label(this.stack.current);
  }

  #poll() {
    const isDeaf = presence.isLost() || (invites.status === "open" && !presence.isAvailable());
    if (isDeaf && !document.hidden) this.#inTurn(this.#refresh);
  }
}

/** @param {HTMLElement} root */
export function start(root) {
  const page = new RoomPage(root);
  return () => page.stop();
}
