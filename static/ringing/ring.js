// @ts-check
/**
 * Invites on the screen: the incoming ring, the outgoing ring, and the start of the call.
 *
 * After every `state` the dialog shows exactly what the server holds. An answer given while the socket was down is sent
 * again only if the same ring still exists. There is one ring at a time; the server allows no second.
 */
import { assertive, toast } from "../announce.js";
import { attract, release } from "./alert.js";
import { showCallBanner } from "./call_banner.js";
import { clock, lengthText } from "../clock.js";
import { elsewhereWords, incomingWords, outgoingWords } from "./texts.js";
import "../signed_out.js";
import * as view from "./view.js";
import { leaveEarly, takeEarly } from "../call/webrtc/early_seat.js";
import { canSwap, show } from "../pages.js";
import { invites, on } from "../socket.js";
import { clearSoundOffers, offerSound } from "./sound_offers.js";
import { startTone, unlockAudio, watchSound } from "../tones.js";

/** @typedef {import("./view.js").Person} Person */
/** @typedef {import("../socket.js").Message} Message */
/** @typedef {{inviteId: string|null, direction: "in"|"out", person: Person, requestedSeconds: number, extended: number,
 *   answer: Message|null, commandId: string}} Ring */

/** The server announces the end of a ring; the screen waits for it at most this long after zero. */
const SILENCE_MS = 4000;
/** @type {Ring|null} */
let ring = null;
let commands = 0;
/** The call of this user, as the server said last; while it is on the screen, no bar leads there. @type {string|null} */
let liveCall = null;
/** The call that this tab was sent to last. */ let entering = "";
let startedAt = 0;

/** Sends a command about the ring; its `id` comes back on an error. @param {Message} message */
function command(message) {
  const id = `ring-${++commands}`;
  if (ring) ring.commandId = id;
  return invites.send({ ...message, id });
}

/** Asks someone to talk. @param {Person} person @param {number} requestedSeconds */
export function invite(person, requestedSeconds) {
  if (ring || !view.hasDialog()) return;
  unlockAudio();
  ring = { inviteId: null, direction: "out", person, requestedSeconds, extended: 0, answer: null, commandId: "" };
  view.show("asking", person, { kicker: "Calling", words: "One moment…" });
  view.showLink(null);
  if (!command({ type: "call:invite", toUserId: person.userId, requestedSeconds })) conclude("lost");
}

/** @param {Message} message call:notify, or the invite of `state` */
function ringIn({ inviteId, fromUser, requestedSeconds, expiresAt }) {
  ring = { inviteId, direction: "in", person: fromUser, requestedSeconds, extended: 0, answer: null, commandId: "" };
  const words = `would like to talk for ${lengthText(requestedSeconds)}`;
  clearSoundOffers();
  view.show("in", fromUser, { kicker: fromUser.isRobot ? "A robot is calling you" : "Someone is calling you", words });
  view.offerWish(requestedSeconds);
  attract(fromUser, inviteId);
  wait(expiresAt);
  assertive(`${fromUser.name} ${words}. You have ${Math.round(clock.until(expiresAt) / 1000)} seconds to answer.`);
}

/** @param {Message} message call:ringing, or the invite of `state` */
function ringOut({ inviteId, toUser, expiresAt, requestedSeconds }) {
  const seconds = requestedSeconds ?? ring?.requestedSeconds ?? 300;
  ring = { inviteId, direction: "out", person: toUser, requestedSeconds: seconds, extended: 0, answer: null, commandId: "" };
  view.show("out", toUser, { kicker: "Calling", words: `Ringing, for ${lengthText(seconds)}` });
  view.showLink(null);
  view.showExtend(true);
  startTone("out");
  wait(expiresAt);
}

/** @param {string|number} expiresAt */
function wait(expiresAt) {
  const waiting = ring;
  view.countDown(expiresAt, () => setTimeout(() => {
    const isSilent = ring !== null && ring === waiting && clock.until(expiresAt) === 0 && invites.status === "open";
    if (isSilent) over("missed");
  }, SILENCE_MS));
}

/** The ring is over, as the person in front of this screen should hear it. @param {string} reason */
function over(reason) {
  if (ring?.direction === "out" && reason !== "cancelled") return conclude(reason);
  const name = ring?.person.name ?? "";
  const isIncoming = ring?.direction === "in";
  dismiss();
  if (isIncoming) toast(incomingWords(reason, name), { key: "ring" });
}

/** Shows an outgoing ring's end, and waits for Close. @param {string} reason @param {string} [words] */
function conclude(reason, words) {
  if (!ring) return;
  const { person } = ring;
  ring = null;
  release();
  view.stopCounting();
  view.show("done", person, { kicker: "Not this time", words: words ?? outgoingWords(reason, person.name) });
  view.showLink(reason === "no_access" ? { href: "/paywall", text: "Get access" } : null);
  document.body.dispatchEvent(new CustomEvent("ring:over"));
}

function dismiss() {
  ring = null;
  release();
  view.hide();
  document.body.dispatchEvent(new CustomEvent("ring:over"));
}

function accept() {
  if (!ring) return;
  unlockAudio();
  release();
  view.setBusy(true);
  view.setWords("Connecting you…");
  ring.answer = { type: "call:accept", inviteId: ring.inviteId, requestedSeconds: view.wishedSeconds() };
  startedAt = Date.now();
  command(ring.answer);
}

function decline() {
  if (!ring) return;
  const answer = { type: "call:decline", inviteId: ring.inviteId };
  if (command(answer)) return dismiss();
  ring.answer = answer; // sent again after a reconnect, if the ring still exists
  view.setBusy(true);
  release();
}

function cancel() {
  if (!ring) return;
  const answer = { type: "call:cancel", inviteId: ring.inviteId };
  if (ring.inviteId && command(answer)) return dismiss();
  ring.answer = answer; // no ring yet, or no socket: sent as soon as there is one
  view.setBusy(true);
}

function extend() {
  if (!ring) return;
  view.showExtend(false);
  command({ type: "call:extend-wait", inviteId: ring.inviteId });
}

/** @param {Message} message */
function extended({ inviteId, expiresAt }) {
  if (ring?.inviteId !== inviteId || !ring) return;
  ring.extended += 1;
  wait(expiresAt);
  if (ring.direction === "in") return;
  view.setWords("Still ringing…");
  view.showExtend(ring.extended < Number(view.dialog?.querySelector(".ring")?.getAttribute("data-max-extends") ?? 2));
}

/** The dialog stays until the call is on the screen. @param {string} callId */
function enter(callId) {
  if (entering === callId) return;
  [liveCall, entering, ring] = [callId, callId, null];
  release();
  view.stopCounting();
  view.setBusy(true);
  view.setWords("Connecting you…");
  assertive("You are connected. The call opens now.");
  if (canSwap()) takeEarly(callId);
  show(`/calls/${callId}`);
}

/** Another page is on the screen. */
function arrived() {
  const isThere = location.pathname === `/calls/${liveCall}`;
  if (isThere && entering === liveCall) view.hide();
  if (!document.getElementById("call")) leaveEarly();
  if (isThere && document.getElementById("call-ended")) liveCall = null;
  showCallBanner(liveCall);
}

/** Makes the screen say what the server says. @param {Message} state */
function reconcile({ invite: held, call }) {
  const wasAnswering = ring !== null && (ring.direction === "out" || ring.answer?.type === "call:accept");
  if (call && (wasAnswering || Date.now() - startedAt < 30_000) && location.pathname !== `/calls/${call.callId}`)
    return enter(call.callId);
  liveCall = call?.callId ?? null;
  showCallBanner(liveCall);
  if (held) adopt(held);
  else if (ring) over(ring.direction === "out" ? "lost" : "missed");
}

/** @param {Message} held the invite of `state` */
function adopt(held) {
  const answer = ring?.inviteId === held.inviteId || (ring?.direction === "out" && !ring.inviteId) ? ring?.answer : null;
  const extendedBefore = ring?.inviteId === held.inviteId ? (ring?.extended ?? 0) : 0;
  if (held.direction === "in") ringIn({ ...held, type: "call:notify", fromUser: held.person });
  else ringOut({ ...held, type: "call:ringing", toUser: held.person });
  if (ring) ring.extended = extendedBefore;
  if (answer) repeat(answer);
}

/** @param {Message} answer given while the socket was down */
function repeat(answer) {
  if (!ring) return;
  ring.answer = { ...answer, inviteId: ring.inviteId };
  if (command(ring.answer) && answer.type !== "call:accept") return dismiss();
  release();
  view.setBusy(true);
}

/** @param {Message} message */
function faulty({ id, message }) {
  if (!ring || !id || id !== ring.commandId) return;
  if (ring.direction === "out" && ring.inviteId) return view.showExtend(false);
  if (ring.direction === "out") return conclude("lost", message);
  dismiss();
  toast(message, { key: "ring", tone: "danger" });
}

function listen() {
  view.press("accept", accept);
  view.press("decline", decline);
  view.press("cancel", cancel);
  view.press("extend", extend);
  view.press("close", dismiss);
  on(invites, "state", reconcile);
  on(invites, "call:notify", ringIn);
  on(invites, "call:ringing", (message) => { const answer = ring?.answer; ringOut(message); if (answer) repeat(answer); });
  on(invites, "call:wait-extended", extended);
  on(invites, "call:cancelled", ({ inviteId, reason }) => { if (ring?.inviteId === inviteId) over(reason); });
  on(invites, "call:declined", ({ reason }) => { if (ring?.direction === "out") over(reason); });
  on(invites, "call:answered", ({ inviteId, outcome }) => {
    if (ring?.inviteId !== inviteId) return;
    dismiss();
    toast(elsewhereWords(outcome), { key: "ring" });
  });
  on(invites, "call:start", ({ callId }) => enter(callId));
  on(invites, "error", faulty);
  document.addEventListener("htmx:after:swap", arrived);
  watchSound(offerSound);
}

if (view.hasDialog()) listen();
invites.open();
