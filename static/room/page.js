// @ts-check
/**
 * /room: one card at a time, a length, and "Talk to …". Cards of people who leave disappear immediately, and focus stays
 * where it was. Without the socket for 5 s, or while offline by choice, the queue is polled every 15 s. The order on the
 * screen never jumps.
 */
import { polite } from "../announce.js";
import { CardStack, isOnCooldown, personOf } from "./cards.js";
import { goOnline, offerNotifications, takeBreak, wantsOnline, watchPresence } from "./presence.js";
import { mayGoOnline, watchTroubles } from "./trouble.js";
import { fetchQueue } from "./queue.js";
import * as ring from "../ringing/ring.js";
import { shortcutOf } from "../call/shortcuts.js";
import { invites, on } from "../socket.js";
import { chooseSeconds, chosenSeconds, rememberedSeconds, rememberSeconds } from "../ringing/duration.js";
import { lengthText } from "../clock.js";

const DOWN_MS = 5000;
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

const room = element("room");
const talk = /** @type {HTMLButtonElement} */ (element("talk"));
const lengths = element("lengths");
const stack = new CardStack(element("queue-cards"), shown);
let knowsOfMore = element("queue-cursor").dataset.more === "yes";
let downSince = Date.now();
let online = Number(element("online-count").dataset.count);
/** Fetches run one after the other, so no update is lost and no page is added twice. */
let fetching = Promise.resolve();
/** @type {Set<() => Promise<void>>} */
const waiting = new Set();

/** @param {HTMLElement|null} card */
function shown(card) {
  element("queue-empty").hidden = card !== null;
  element("deck-controls").hidden = card === null;
  element("deck-place").textContent = stack.place;
  for (const step of room.querySelectorAll("[data-step]")) /** @type {HTMLElement} */ (step).hidden = stack.cards.length < 2;
  if (card) label(card);
}

/** @param {HTMLElement} card */
function label(card) {
  const isWaiting = isOnCooldown(card);
  const pronoun = card.dataset.pronoun || "them";
  talk.setAttribute("aria-disabled", String(isWaiting));
  element("talk-words").textContent = isWaiting ? "Not yet" : `Talk to ${pronoun}`;
  element("talk-more").textContent = `: ${card.dataset.name}, ${lengthText(chosenSeconds(lengths))}`;
}

/** @param {1|-1} step */
function move(step) {
  stack.move(step);
  fill();
  element("queue-note").textContent = "";
  const card = stack.current;
  if (card) polite(`${card.dataset.name}, ${stack.place}${isOnCooldown(card) ? ", not available to you yet" : ""}`);
}

/** Says that the person just looked at is gone. @param {string[]} names */
function farewell(names) {
  const text = names.map((name) => `${name} has just left.`).join(" ");
  if (!text) return;
  element("queue-note").textContent = text;
  polite(stack.current ? `${text} Now: ${stack.current.dataset.name}.` : text);
}

/** Runs after what is under way; the same wish twice is one. @param {() => Promise<void>} work */
function inTurn(work) {
  if (waiting.has(work)) return;
  waiting.add(work);
  fetching = fetching.then(() => { waiting.delete(work); return work(); });
}

/** More people behind the cursor. @returns {Promise<void>} */
async function more() {
  const cursor = element("queue-cursor");
  const page = await fetchQueue(cursor.dataset.cursor);
  if (!page) return;
  cursor.dataset.cursor = page.cursor;
  stack.merge(page.articles, false);
  knowsOfMore = page.hasMore;
  if (page.articles.length) fill();
}

/** New cards are appended, but only up to one page ahead of the current card. */
function fill() {
  if (knowsOfMore && stack.ahead < CARDS_AHEAD) inTurn(more);
}

/** Loads the complete state: after a reconnect or a ring, or while there is no socket. */
async function refresh() {
  const page = await fetchQueue();
  if (!page) return;
  element("queue-cursor").dataset.cursor = page.cursor;
  farewell(stack.merge(page.articles, !page.hasMore));
  knowsOfMore = page.hasMore;
  fill();
}

/** @param {number} count */
function countOnline(count) {
  online = count;
  element("online-count").textContent = count === 1 ? "1 person online" : `${count} people online`;
}

/** @param {boolean} available @param {boolean} isConnected */
function showPresence(available, isConnected) {
  const state = isConnected ? (available ? "online" : "away") : "lost";
  if (isConnected) downSince = 0;
  else downSince ||= Date.now();
  const isLost = !isConnected && Date.now() - downSince > DOWN_MS;
  if (state === "lost" && !isLost && room.dataset.presence) return;
  room.dataset.presence = state;
  if (isConnected && online === 0) countOnline(1);
  const words = { online: "You are online", away: "You are not online", lost: "Reconnecting…" };
  element("availability-words").textContent = words[state];
  element("empty-words").textContent = EMPTY[available ? "online" : "away"];
  element("go-online").hidden = state === "lost" ? wantsOnline() : available;
  element("take-break").hidden = !available || state === "lost";
}

function ask() {
  const card = stack.current;
  if (!card || isOnCooldown(card)) return;
  ring.invite(personOf(card), chosenSeconds(lengths));
}

/** @param {KeyboardEvent} event */
function keys(event) {
  const key = shortcutOf(event);
  if (key === "ArrowRight") move(1);
  if (key === "ArrowLeft") move(-1);
}

async function start() {
  const button = /** @type {HTMLButtonElement} */ (element("go-online"));
  button.disabled = true;
  const isListed = await goOnline(mayGoOnline);
  button.disabled = false;
  element("take-break").hidden = !isListed;
  element(isListed ? "take-break" : "room-trouble").focus();
}

function listen() {
  on(invites, "queue:update", ({ left, more: hasMore, onlineUsers }) => {
    farewell(stack.remove(left ?? []));
    countOnline(onlineUsers);
    knowsOfMore = hasMore;
    fill();
  });
  on(invites, "state", () => inTurn(refresh));
  document.body.addEventListener("ring:over", () => inTurn(refresh));
  document.addEventListener("keydown", keys);
  talk.addEventListener("click", ask);
  element("go-online").addEventListener("click", start);
  element("take-break").addEventListener("click", () => { takeBreak(); element("go-online").hidden = false; element("go-online").focus(); });
  for (const step of room.querySelectorAll("[data-step]"))
    step.addEventListener("click", () => move(step.getAttribute("data-step") === "next" ? 1 : -1));
  lengths.addEventListener("change", () => { rememberSeconds(chosenSeconds(lengths)); stack.show(); });
}

/** Runs once a second and computes everything from timestamps. */
function beat() {
  const isDown = downSince > 0 && Date.now() - downSince > DOWN_MS;
  if (isDown) showPresence(false, false);
  stack.tick();
  if (stack.current) label(stack.current);
}

function poll() {
  const isDeaf = (downSince > 0 && Date.now() - downSince > DOWN_MS) || room.dataset.presence === "away";
  if (isDeaf && !document.hidden) inTurn(refresh);
}

if (!room.dataset.started) {
  room.dataset.started = "yes";
  room.classList.add("is-live");
  chooseSeconds(lengths, rememberedSeconds(lengths));
  offerNotifications(element("offer-notifications"));
  watchPresence(showPresence);
  watchTroubles();
  listen();
  stack.show();
  setInterval(beat, 1000);
  setInterval(poll, POLL_MS);
}
