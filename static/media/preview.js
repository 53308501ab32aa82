// @ts-check
/**
 * "Check camera and sound" in the room: the devices that the call will use, and the choice among them. Nothing leaves the
 * browser. When the dialog closes, devices that were opened only for it are closed.
 */
import { polite } from "../announce.js";
import { fillDeviceSelect } from "./device_select.js";
import { chooseDevice, chosenDevice } from "./devices.js";
import { listenTo } from "./microphone_level.js";
import { ownDevices } from "./own_devices.js";
import { playTestSound } from "../tones.js";
import { troubleOfFaults } from "../troubles.js";

/** @typedef {import("./devices.js").Kind} Kind */

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(`preview-${id}`);
const SELECTS = /** @type {const} */ ([["camera", "videoinput", "video"], ["microphone", "audioinput", "audio"], ["speaker", "audiooutput", "output"]]);

/** @param {Kind|"output"} key */
const inUse = (key) => (key === "output" ? "" : ownDevices.deviceOf(key)) || chosenDevice(key);

async function fill() {
  for (const [name, kind, key] of SELECTS) await fillDeviceSelect(element(name), kind, inUse(key));
  element("speaker-field").hidden = !("setSinkId" in HTMLMediaElement.prototype);
}

function ring() {
  playTestSound(chosenDevice("output")).then(() => polite("The test sound was played."), () => polite("The sound could not be played."));
}

class Preview {
  #left = new AbortController();
  /** Whether the devices are open for this dialog only. */ #isAlone = false;
  /** @type {MediaStreamTrack|null} */ #heard = null;
  #stopListening = () => {};

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    const { signal } = this.#left;
    document.getElementById("open-preview")?.addEventListener("click", () => this.#open());
    document.getElementById("close-preview")?.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.#close());
    element("retry").addEventListener("click", () => ownDevices.open());
    element("sound").addEventListener("click", ring);
    for (const [name, , key] of SELECTS) element(name).addEventListener("change", () => this.#choose(key, element(name).value));
    for (const type of ["change", "devices"]) ownDevices.addEventListener(type, () => { if (dialog.open) this.#draw(); }, { signal });
  }

  async #open() {
    this.dialog.showModal();
    element("title").focus();
    this.#isAlone = !ownDevices.isOpen;
    this.#draw();
    await ownDevices.open();
  }

  #draw() {
    const { faults, videoTrack, audioTrack } = ownDevices;
    this.#show(videoTrack);
    this.#listen(audioTrack);
    element("trouble").hidden = !faults.length;
    if (faults.length) this.#explain(faults);
    fill();
  }

  /** @param {MediaStreamTrack|null} track */
  #show(track) {
    const video = element("video");
    video.hidden = track === null;
    if (video.srcObject?.getVideoTracks()[0] === (track ?? undefined)) return;
    video.srcObject = track && new MediaStream([track]);
    if (track) video.play().catch(() => undefined);
  }

  /** @param {MediaStreamTrack|null} track */
  #listen(track) {
    if (track === this.#heard) return;
    this.#heard = track;
    this.#stopListening();
    this.#stopListening = track ? listenTo(track, (level) => { element("level").value = level; }) : () => {};
    if (!track) element("level").value = 0;
  }

  /** @param {import("../troubles.js").Fault[]} faults */
  #explain(faults) {
    const { title, help, canRetry } = troubleOfFaults(faults);
    element("trouble-title").textContent = title;
    element("trouble-words").textContent = help;
    element("retry").hidden = !canRetry;
  }

  /** @param {Kind|"output"} key @param {string} deviceId */
  #choose(key, deviceId) {
    if (key === "output") chooseDevice(key, deviceId);
    else ownDevices.use(key, deviceId);
  }

  #close() {
    this.#show(null);
    this.#listen(null);
    if (this.#isAlone) ownDevices.close();
  }

  stop() {
    this.#left.abort();
    if (this.dialog.open) this.#close();
  }
}

/** @param {HTMLElement} dialog */
export function start(dialog) {
  const preview = new Preview(/** @type {HTMLDialogElement} */ (dialog));
  return () => preview.stop();
}
