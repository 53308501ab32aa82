// @ts-check
/** The buttons and panels of a call, by pointer and by keyboard (m, v, c, Escape). */
import { toast } from "../announce.js";
import { fillDeviceSelect } from "../media/device_select.js";
import { chooseDevice, chosenDevice } from "../media/devices.js";
import { isComposing, shortcutOf } from "./shortcuts.js";
import { troubleOfFaults } from "../troubles.js";

/** @typedef {import("./own_media.js").CallMedia} CallMedia */
/** @typedef {{media: CallMedia, tiles: import("./tiles.js").Tiles, chat: import("./chat.js").Chat, end: () => void}} Parts */

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const PANELS = /** @type {const} */ ([["open-chat", "chat"], ["open-devices", "devices"]]);

/** @param {Parts} parts */
export function startControls(parts) {
  const { media, end } = parts;
  element("mute").addEventListener("click", () => toggleMute(media));
  element("camera").addEventListener("click", () => toggleCamera(media));
  element("end").addEventListener("click", end);
  for (const [opener, panel] of PANELS) element(opener).addEventListener("click", () => togglePanel(opener, panel, parts));
  for (const close of document.querySelectorAll("[data-close-panel]")) close.addEventListener("click", () => closePanels(true));
  document.addEventListener("keydown", (event) => keys(event, parts));
  media.addEventListener("change", () => { drawMedia(media); fillDevices(parts); });
  media.addEventListener("devices", () => { parts.tiles.useSpeaker(); fillDevices(parts); });
  media.addEventListener("lost", (event) => tellLost(/** @type {CustomEvent} */ (event).detail));
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

/** Without a microphone "Unmute" asks for one. @param {CallMedia} media */
function toggleMute(media) {
  if (media.hasMicrophone) media.toggleMute();
  else media.openOnly(["audio"]).then(tellTrouble);
}

/** @param {CallMedia} media */
async function toggleCamera(media) {
  const button = /** @type {HTMLButtonElement} */ (element("camera"));
  button.disabled = true;
  await media.toggleCamera().then(tellTrouble);
  button.disabled = false;
  button.focus();
}

/** @param {CallMedia} media */
function drawMedia(media) {
  const isMuted = media.isMuted || !media.hasMicrophone;
  press("mute", isMuted, isMuted ? "Unmute" : "Mute");
  press("camera", media.isCameraOff, media.isCameraOff ? "Camera on" : "Camera off");
}

/** @param {string} id @param {boolean} isPressed @param {string} name */
function press(id, isPressed, name) {
  element(id).setAttribute("aria-pressed", String(isPressed));
  const label = element(id).querySelector(".call-label");
  if (label) label.textContent = name;
}

/** @param {string} opener @param {string} panel @param {Parts} parts */
function togglePanel(opener, panel, { chat, tiles, media }) {
  const wasOpen = !element(panel).hidden;
  closePanels(wasOpen);
  if (wasOpen) return;
  element(panel).hidden = false;
  element(opener).setAttribute("aria-expanded", "true");
  element("call").dataset.panel = panel;
  if (panel === "chat") return chat.opened();
  fillDevices({ media, tiles });
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
  delete element("call").dataset.panel;
}

/** @param {KeyboardEvent} event @param {Parts} parts */
function keys(event, parts) {
  if (event.key === "Escape" && !isComposing(event)) return closePanels(true);
  const shortcut = shortcutOf(event);
  if (shortcut === "m") toggleMute(parts.media);
  if (shortcut === "v") toggleCamera(parts.media);
  if (shortcut !== "c") return;
  event.preventDefault();
  togglePanel("open-chat", "chat", parts);
}

/** @param {Parts} parts */
function startDevices({ media, tiles }) {
  const change = (/** @type {"audio"|"video"} */ kind) => media.use(kind, valueOf(`device-${kind}`)).then(tellTrouble);
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

/** @param {Pick<Parts, "media"|"tiles">} parts */
async function fillDevices({ media, tiles }) {
  if (element("devices").hidden) return;
  await fillDeviceSelect(select("device-audio"), "audioinput", media.deviceOf("audio"));
  await fillDeviceSelect(select("device-video"), "videoinput", media.deviceOf("video") || chosenDevice("video"));
  await fillDeviceSelect(select("device-output"), "audiooutput", chosenDevice("output"));
  const field = element("device-output").closest(".field");
  if (field instanceof HTMLElement) field.hidden = !("setSinkId" in tiles.sound);
}
