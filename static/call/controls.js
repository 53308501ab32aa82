// @ts-check
/** The buttons and panels of a call, by pointer and by keyboard (m, v, c, Escape). */
import { toast } from "../announce.js";
import { fillDeviceSelect } from "../media/device_select.js";
import { chooseDevice, chosenDevice } from "../media/devices.js";
import { ownDevices } from "../media/own_devices.js";
import { isComposing, shortcutOf } from "./shortcuts.js";
import { troubleOfFaults } from "../troubles.js";

/** @typedef {{tiles: import("./tiles.js").Tiles, chat: import("./chat.js").Chat, end: () => void}} Parts */

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const PANELS = /** @type {const} */ ([["open-chat", "chat"], ["open-devices", "devices"]]);

/** @param {Parts} parts @param {AbortSignal} signal the end of the page */
export function startControls(parts, signal) {
  element("mute").addEventListener("click", toggleMute);
  element("camera").addEventListener("click", toggleCamera);
  element("end").addEventListener("click", parts.end);
  for (const [opener, panel] of PANELS) element(opener).addEventListener("click", () => togglePanel(opener, panel, parts));
  for (const close of document.querySelectorAll("[data-close-panel]")) close.addEventListener("click", () => closePanels(true));
  document.addEventListener("keydown", (event) => keys(event, parts), { signal });
  ownDevices.addEventListener("change", () => { drawMedia(); fillDevices(parts); }, { signal });
  ownDevices.addEventListener("devices", () => { parts.tiles.useSpeaker(); fillDevices(parts); }, { signal });
  ownDevices.addEventListener("lost", (event) => tellLost(/** @type {CustomEvent} */ (event).detail), { signal });
  if (ownDevices.isSettled) drawMedia();
  signal.addEventListener("abort", () => { delete document.body.dataset.panel; });
  startDevices(parts);
}

/** @param {import("../troubles.js").Fault[]} faults */
function tellTrouble(faults) {
  if (!faults.length) return;
  const { title, help } = troubleOfFaults(faults);
  toast(`${title}. ${help}`, { key: "device", tone: "danger", seconds: 15 });
}

/** @param {{kind: string, label: string}} lost label of what took its place, or "" */
function tellLost({ kind, label }) {
  const name = kind === "audio" ? "microphone" : "camera";
  const next = label ? `Now using ${label}.` : "Plug it in again, or choose another under Devices.";
  toast(`Your ${name} went away. ${next}`, { key: "device" });
}

/** Without a microphone "Unmute" asks for one. */
function toggleMute() {
  if (ownDevices.hasMicrophone) ownDevices.toggleMute();
  else ownDevices.openOnly(["audio"]).then(tellTrouble);
}

async function toggleCamera() {
  const button = /** @type {HTMLButtonElement} */ (element("camera"));
  button.disabled = true;
  await ownDevices.toggleCamera().then(tellTrouble);
  button.disabled = false;
  button.focus();
}

function drawMedia() {
  const isMuted = ownDevices.isMuted || !ownDevices.hasMicrophone;
  press("mute", isMuted, isMuted ? "Unmute" : "Mute");
  press("camera", ownDevices.isCameraOff, ownDevices.isCameraOff ? "Camera on" : "Camera off");
}

/** @param {string} id @param {boolean} isPressed @param {string} name */
function press(id, isPressed, name) {
  element(id).setAttribute("aria-pressed", String(isPressed));
  const label = element(id).querySelector(".call-label");
  if (label) label.textContent = name;
}

/** @param {string} opener @param {string} panel @param {Parts} parts */
function togglePanel(opener, panel, { chat, tiles }) {
  const wasOpen = !element(panel).hidden;
  closePanels(wasOpen);
  if (wasOpen) return;
  element(panel).hidden = false;
  element(opener).setAttribute("aria-expanded", "true");
  document.body.dataset.panel = panel;
  if (panel === "chat") return chat.opened();
  fillDevices({ tiles });
  element("device-audio").focus();
}

/** @param {boolean} returnsFocus to the button that opened */
function closePanels(returnsFocus) {
  for (const [opener, panel] of PANELS) {
    if (element(panel).hidden) continue;
    element(panel).hidden = true;
    element(opener).setAttribute("aria-expanded", "false");
    if (returnsFocus) element(opener).focus();
  }
  delete document.body.dataset.panel;
}

/** @param {KeyboardEvent} event @param {Parts} parts */
function keys(event, parts) {
  if (event.key === "Escape" && !isComposing(event)) return closePanels(true);
  const shortcut = shortcutOf(event);
  if (shortcut === "m") toggleMute();
  if (shortcut === "v") toggleCamera();
  if (shortcut !== "c") return;
  event.preventDefault();
  togglePanel("open-chat", "chat", parts);
}

/** @param {Parts} parts */
function startDevices({ tiles }) {
  const change = (/** @type {"audio"|"video"} */ kind) => ownDevices.use(kind, valueOf(`device-${kind}`)).then(tellTrouble);
  element("device-audio").addEventListener("change", () => change("audio"));
  element("device-video").addEventListener("change", () => change("video"));
  element("device-output").addEventListener("change", () => {
    chooseDevice("output", valueOf("device-output"));
    tiles.useSpeaker();
  });
}

/** @param {string} id */
const select = (id) => /** @type {HTMLSelectElement} */ (element(id));
/** @param {string} id */
const valueOf = (id) => select(id).value;

/** @param {Pick<Parts, "tiles">} parts */
async function fillDevices({ tiles }) {
  if (element("devices").hidden) return;
  await fillDeviceSelect(select("device-audio"), "audioinput", ownDevices.deviceOf("audio"));
  await fillDeviceSelect(select("device-video"), "videoinput", ownDevices.deviceOf("video") || chosenDevice("video"));
  await fillDeviceSelect(select("device-output"), "audiooutput", chosenDevice("output"));
  const field = element("device-output").closest(".field");
  if (field instanceof HTMLElement) field.hidden = !("setSinkId" in tiles.sound);
}
