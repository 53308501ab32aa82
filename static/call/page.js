// @ts-check
/**
 * /calls/ID during the call: connects the relay, the engine, the media and the screen.
 *
 * Status texts follow from the server's state and from whether media flows. Whatever device is missing, the user can
 * still take part. At the end everything is closed: tracks, connection, sockets, wake lock.
 * `window.napalmCall` is the engine, for diagnostics and tests only.
 */
import { CallMedia } from "./own_media.js";
import { QualityMonitor } from "./quality/monitor.js";
import { Tiles } from "./tiles.js";
import { startControls } from "./controls.js";
import { CallTimer } from "./timer.js";
import { Chat } from "./chat.js";
import { offerDiagnostics } from "./diagnostics.js";
import { callTrouble, peerTrouble, soundTrouble } from "./peer_texts.js";
import { canCall } from "../media/readiness.js";
import { openRelay } from "./webrtc/relay.js";
import { on } from "../socket.js";
import { troubleOfFaults } from "../troubles.js";
import { keepAwake } from "./wake_lock.js";

/** @typedef {import("../socket.js").Message} Message */
/** @typedef {import("../troubles.js").Fault} Fault */

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const root = element("call");
const name = root.dataset.peerName ?? "";
const { socket, engine } = openRelay(root.dataset.callId ?? "");
const media = new CallMedia(engine);
const tiles = new Tiles(name);
const timer = new CallTimer(element("call-timer"), root);
const chat = new Chat(element("chat"), element("unread"), socket, name);
const quality = new QualityMonitor(engine, tiles.peer, () => tellMedia());
const letSleep = keepAwake();
const now = { state: "connecting", isPeerHere: false, isFlowing: false, isEnding: false, isOver: false,
  /** Why this side cannot take part. @type {""|"noroute"|"unsupported"} */ fault: /** @type {""|"noroute"|"unsupported"} */ ("") };
let said = "";
Object.assign(window, { napalmCall: engine });

/** The status in words; empty while everything works. */
function words() {
  if (now.isEnding) return "Ending…";
  if (now.fault === "unsupported") return "This browser cannot make video calls. You can still write.";
  if (now.fault && !now.isFlowing) return "No way through this network was found. Try another network, or a browser without extensions.";
  if (now.state === "connecting") return now.isPeerHere ? whyPeerWaits() || "Connecting…" : `Waiting for ${name}…`;
  if (!now.isFlowing) return now.state === "paused" ? "Reconnecting… The clock waits" : "Reconnecting…";
  if (now.state === "paused") return "Paused: the clock waits";
  if (socket.status !== "open") return "Reconnecting…";
  return soundTrouble(name, tiles.peer);
}

/** The call waits for a peer with device problems, and the text says so. */
function whyPeerWaits() {
  const { faults } = tiles.peer;
  return callTrouble(name, tiles.peer) || (faults.audio || faults.video ? peerTrouble(name, tiles.peer) : "");
}

function draw() {
  if (now.isOver) return;
  const text = words();
  if (text !== said) element("call-words").textContent = said = text; // not read back: translators rewrite it
  root.dataset.state = now.state;
  root.dataset.flow = now.isFlowing ? "yes" : "no";
}

/** @param {Partial<typeof now>} news */
function learn(news) {
  Object.assign(now, news);
  draw();
}

/** "camera" is the switch; "video" is whether a picture comes. */
function tellMedia() {
  const { audio, video, faults } = media.state;
  const { sendsVideo, wantsVideo } = quality.state;
  const troubles = { ...faults, ...(now.fault ? { call: now.fault } : {}) };
  socket.send({ type: "media:state", audio, video: video && sendsVideo, camera: video, wantsVideo,
    ...(Object.keys(troubles).length ? { faults: troubles } : {}) });
}

/** Devices that the system has paused are also shown on the user's own screen, and disappear automatically. */
function drawPaused() {
  const devices = media.paused.map((kind) => (kind === "audio" ? "microphone" : "camera")).join(" and ");
  const note = devices && `Your device has paused your ${devices}: a phone call, the lock screen or a switch does that. It comes back by itself.`;
  if (element("device-note").hidden && !note) return;
  element("device-note").textContent = note || "";
  element("device-note").hidden = !note;
}

/** @param {Message} message media:state */
function peerMedia({ audio, video, camera = video, wantsVideo = true, faults = {} }) {
  Object.assign(tiles.peer, { audio, video, camera, faults: faults ?? {} });
  quality.peerWants(wantsVideo);
  tiles.draw();
  draw();
}

/** @param {Message} message call:state */
function welcome(message) {
  timer.set(/** @type {any} */ (message));
  learn({ state: message.state, isPeerHere: message.peerHere });
  tellMedia();
  if (now.isEnding) socket.send({ type: "call:end" });
}

function end() {
  learn({ isEnding: true });
  socket.send({ type: "call:end" });
}

/** Closes everything; the same URL now shows how the call ended. */
function ended() {
  if (now.isOver) return;
  release();
  location.replace(location.pathname);
}

function release() {
  now.isOver = true;
  root.dataset.state = "ended";
  media.stop();
  engine.close();
  socket.close();
  tiles.stop();
  timer.stop();
  chat.stop();
  quality.stop();
  letSleep();
}

/** @param {boolean} isFlowing */
function foundWay(isFlowing) {
  if (!isFlowing || now.fault !== "noroute") return;
  learn({ fault: "" });
  tellMedia();
}

/** @type {Record<number, {title: string, text: string, mayReturn: boolean}>} */
const CLOSED = {
  4403: { title: "You cannot take part in this call any more", text: "Go back to the room to see what you can do.", mayReturn: false },
  4404: { title: "This call cannot be found", text: "It may have ended long ago.", mayReturn: false },
  4409: { title: "This call is open in another tab", text: "It goes on there. You can bring it here instead.", mayReturn: true },
};

/** @param {Message} message socket:status */
function socketChanged({ status, code }) {
  draw();
  if (status !== "closed" || now.isOver) return;
  if (code === 4401) return location.assign("/login");
  if (code === 1000) return ended();
  const closed = CLOSED[code];
  if (closed) showClosed(closed);
}

/** @param {{title: string, text: string, mayReturn: boolean}} closed */
function showClosed({ title, text, mayReturn }) {
  release();
  element("elsewhere-title").textContent = title;
  element("elsewhere-words").textContent = text;
  element("take-back").hidden = !mayReturn;
  for (const id of ["call-controls", "chat", "devices", "hear", "call-quality", "call-timer"]) element(id).hidden = true;
  element("call-help").hidden = true;
  element("call-words").textContent = "";
  element("call-elsewhere").hidden = false;
  element("elsewhere-title").focus();
}

/** A missing device has its help, and ways on with what there is. @param {Fault[]} faults */
function showTrouble(faults) {
  const { title, help, canRetry } = troubleOfFaults(faults);
  const { hasMicrophone, videoTrack } = media;
  const rest = hasMicrophone ? "sound only" : videoTrack ? "your picture only; you can write" : "";
  element("help-title").textContent = title;
  element("help-words").textContent = rest ? `${help} Until then, the call continues with ${rest}.` : help;
  element("help-retry").hidden = !canRetry;
  element("help-audio").hidden = !canRetry || Boolean(rest);
  element("help-text").textContent = rest ? "Go on like this" : "Join with text only";
  element("call-help").hidden = false;
  element("help-title").focus();
}

/** @param {() => Promise<Fault[]>} ask */
async function join(ask) {
  element("call-help").hidden = true;
  const faults = await ask();
  element("call-help").hidden = true; // the permission prompt was answered
  if (faults.length && !now.isOver) showTrouble(faults);
}

/** Chat still works, and the peer gets the reason why nothing else does. */
function showUnsupported() {
  learn({ fault: "unsupported" });
  element("help-title").textContent = "This browser cannot make video calls";
  element("help-words").textContent = "Lockdown Mode, a privacy setting, an extension or a policy of your organisation has switched WebRTC off. You can write to each other until the call ends; open the site in another browser for the next one.";
  for (const id of ["help-retry", "help-audio"]) element(id).hidden = true;
  element("help-text").textContent = "Go on with text";
  element("call-help").hidden = false;
}

/** With text only, working devices stay in use. */
async function joinWithText() {
  element("call-help").hidden = true;
  if (canCall() && !media.hasMicrophone && !media.videoTrack) await media.openNothing();
}

function listen() {
  on(socket, "call:state", welcome);
  on(socket, "call:clock", (message) => { timer.set(/** @type {any} */ (message)); learn({ state: message.state }); });
  on(socket, "call:end", ended);
  on(socket, "peer:joined", () => { learn({ isPeerHere: true }); tellMedia(); });
  on(socket, "peer:left", () => learn({ isPeerHere: false }));
  on(socket, "media:state", peerMedia);
  on(socket, "socket:status", socketChanged);
  on(engine, "track", ({ track }) => tiles.add(track));
  on(engine, "flow", ({ isFlowing }) => { learn({ isFlowing }); foundWay(isFlowing); tiles.play(); });
  on(engine, "noroute", () => { learn({ fault: "noroute" }); tellMedia(); });
  media.addEventListener("change", () => { tiles.showOwn(media.videoTrack); drawPaused(); tellMedia(); });
  media.addEventListener("asking", (event) => showTrouble(/** @type {CustomEvent<Fault[]>} */ (event).detail));
  element("help-retry").addEventListener("click", () => join(() => media.open()));
  element("help-audio").addEventListener("click", () => join(() => media.openOnly(["audio"])));
  element("help-text").addEventListener("click", joinWithText);
  element("take-back").addEventListener("click", () => location.reload());
}

listen();
startControls({ media, tiles, chat, end });
offerDiagnostics(element("copy-diagnostics"), { engine, quality, media, state: () => ({ ...now, socket: socket.status }) });
tiles.draw();
draw();
if (canCall()) join(() => media.open());
else showUnsupported();
