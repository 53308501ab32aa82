// @ts-check
/**
 * "Check camera and sound" in the room. Opened only by its button; the choices are those the call will use. Nothing
 * leaves the browser. When the dialog closes, camera, microphone and audio context are released.
 */
import { polite } from "../announce.js";
import { fillDeviceSelect } from "./device_select.js";
import { chooseDevice, chosenDevice, openWhatThereIs } from "./devices.js";
import { listenTo } from "./microphone_level.js";
import { playTestSound } from "../tones.js";
import { troubleOfFaults } from "../troubles.js";

/** @typedef {import("./devices.js").Kind} Kind */

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(`preview-${id}`);
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("preview"));
const SELECTS = /** @type {const} */ ([["camera", "videoinput", "video"], ["microphone", "audioinput", "audio"], ["speaker", "audiooutput", "output"]]);

/** @type {Map<string, MediaStreamTrack>} */
const tracks = new Map();
let stopListening = () => {};

async function open() {
  dialog.showModal();
  element("title").focus();
  await retry();
}

async function retry() {
  await ask();
  await fill();
}

/** @param {readonly Kind[]} [kinds] */
async function ask(kinds) {
  element("trouble").hidden = true;
  const { tracks: opened, faults } = await openWhatThereIs(kinds, { asking: explain });
  element("trouble").hidden = true;
  opened.forEach(take);
  if (faults.length) explain(faults);
}

/** A device that opens after the dialog has closed is let go at once. @param {MediaStreamTrack} track */
function take(track) {
  if (!dialog.open) return track.stop();
  tracks.get(track.kind)?.stop();
  tracks.set(track.kind, track);
  if (track.kind === "video") show(track);
  else listen(track);
}

/** @param {MediaStreamTrack|null} track */
function show(track) {
  const video = element("video");
  video.hidden = track === null;
  video.srcObject = track && new MediaStream([track]);
  if (track) video.play().catch(() => undefined);
}

/** @param {MediaStreamTrack} track */
function listen(track) {
  stopListening();
  stopListening = listenTo(track, (level) => { element("level").value = level; });
}

/** @param {import("../troubles.js").Fault[]} faults */
function explain(faults) {
  const { title, help, canRetry } = troubleOfFaults(faults);
  element("trouble-title").textContent = title;
  element("trouble-words").textContent = help;
  element("retry").hidden = !canRetry;
  element("trouble").hidden = false;
  show(tracks.get("video") ?? null);
}

async function fill() {
  for (const [name, kind, key] of SELECTS) await fillDeviceSelect(element(name), kind, inUse(key));
  element("speaker-field").hidden = !("setSinkId" in HTMLMediaElement.prototype);
}

/** @param {Kind|"output"} key */
function inUse(key) {
  return tracks.get(key)?.getSettings().deviceId ?? chosenDevice(key);
}

/** @param {Kind|"output"} key @param {string} deviceId */
async function choose(key, deviceId) {
  chooseDevice(key, deviceId);
  if (key === "output") return;
  tracks.get(key)?.stop(); // some cameras open only once
  await ask([key]);
}

function close() {
  stopListening();
  stopListening = () => {};
  tracks.forEach((track) => track.stop());
  tracks.clear();
  show(null);
  element("level").value = 0;
}

function ring() {
  playTestSound(chosenDevice("output")).then(() => polite("The test sound was played."), () => polite("The sound could not be played."));
}

document.getElementById("open-preview")?.addEventListener("click", open);
document.getElementById("close-preview")?.addEventListener("click", () => dialog.close());
dialog.addEventListener("close", close);
element("retry").addEventListener("click", retry);
element("sound").addEventListener("click", ring);
for (const [name, , key] of SELECTS) element(name).addEventListener("change", () => choose(key, element(name).value));
navigator.mediaDevices?.addEventListener?.("devicechange", () => { if (dialog.open) fill(); });
