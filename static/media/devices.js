// @ts-check
/**
 * Camera, microphone and speaker: permission, the remembered choice, and faults in plain words.
 * Constraints are preferences (`ideal`), never requirements, so any device works.
 */

import { forget, recall, remember } from "../storage.js";
import { causeOf, faultOf, permissionOf } from "../troubles.js";

/** @typedef {import("../troubles.js").Kind} Kind */
/** @typedef {import("../troubles.js").Fault} Fault */

const KEYS = { audio: "napalm.microphone", video: "napalm.camera", output: "napalm.speaker" };
/** A permitted device opens sooner; after this time the browser is waiting for the user. */
const ASKING_MS = 3000;
/** Drivers may hang without an error, also of a permitted device. */
const SLOW_MS = 12_000;
/** A list of devices takes a few milliseconds; one that is later is not coming. */
const LISTING_MS = 2000;
/** @type {readonly Kind[]} */
export const KINDS = ["audio", "video"];

/** @param {Kind|"output"} kind */
export const chosenDevice = (kind) => recall(KEYS[kind]) ?? "";

/** @param {Kind|"output"} kind @param {string} deviceId */
export const chooseDevice = (kind, deviceId) => remember(KEYS[kind], deviceId);

/** @param {Kind} kind @returns {MediaTrackConstraints} */
function wish(kind) {
  const deviceId = chosenDevice(kind) ? { deviceId: { ideal: chosenDevice(kind) } } : {};
  if (kind === "audio") return { ...deviceId, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const facing = chosenDevice("video") ? {} : { facingMode: { ideal: "user" } };
  return { ...deviceId, ...facing, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
}

/** @param {readonly Kind[]} kinds @param {MediaTrackConstraints} [picture] besides the usual @returns {Promise<MediaStreamTrack[]>} */
export async function openDevices(kinds, picture = {}) {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) throw new DOMException("No camera and no microphone for pages", "NotSupportedError");
  const wishes = { audio: kinds.includes("audio") && wish("audio"), video: kinds.includes("video") && { ...wish("video"), ...picture } };
  const stream = await devices.getUserMedia(wishes).catch((error) => {
    if (causeOf(error) !== "unfit") throw error;
    for (const kind of KINDS) forget(KEYS[kind]);
    return devices.getUserMedia({ audio: Boolean(wishes.audio), video: Boolean(wishes.video) });
  });
  const tracks = stream.getTracks();
  for (const track of tracks) if (track.kind === "video") track.contentHint = "motion";
  return tracks;
}

/** @typedef {(faults: Fault[]) => void} Report */

/** Reports when the browser's question, or a device, has waited for a while. @param {readonly Kind[]} kinds @param {Report} report @returns {() => void} the answer is here */
function whenAsking(kinds, report) {
  let isAnswered = false;
  const look = async (/** @type {"asking"|"slow"} */ cause) => {
    const states = await Promise.all(kinds.map(permissionOf));
    const waiting = kinds.filter((_, index) => (states[index] === "granted") === (cause === "slow"));
    if (!isAnswered && waiting.length) report(waiting.map((kind) => ({ kind, cause })));
  };
  const timers = [setTimeout(look, ASKING_MS, "asking"), setTimeout(look, SLOW_MS, "slow")];
  return () => { isAnswered = true; timers.forEach(clearTimeout); };
}

/**
 * All devices if possible; else each is tried alone, and the faults of the others are returned.
 * @param {readonly Kind[]} [kinds] @param {{picture?: MediaTrackConstraints, asking?: Report}} [options]
 * @returns {Promise<{tracks: MediaStreamTrack[], faults: Fault[]}>}
 */
export async function openWhatThereIs(kinds = KINDS, { picture = {}, asking = () => {} } = {}) {
  /** @type {Fault[]} */ const faults = [];
  const answered = whenAsking(kinds, asking);
  const tracks = await openDevices(kinds, picture).catch(async (reason) => {
    const opened = [];
    for (const kind of kinds) opened.push(...await openAlone(kind, kinds, picture, reason, faults));
    return opened;
  });
  answered();
  return { tracks, faults };
}

/**
 * A denial is respected: if the browser reports it as final, or would prompt again, no device is requested.
 * @param {Kind} kind @param {readonly Kind[]} kinds asked for together @param {MediaTrackConstraints} picture @param {DOMException} reason
 * @param {Fault[]} faults takes what is wrong @returns {Promise<MediaStreamTrack[]>}
 */
async function openAlone(kind, kinds, picture, reason, faults) {
  const fault = await faultOf(reason, kind);
  const isRefusal = fault.cause === "blocked" || fault.cause === "dismissed";
  const isFinal = !navigator.mediaDevices || (isRefusal && ["denied", "prompt"].includes(await permissionOf(kind)));
  if (kinds.length > 1 && !isFinal) {
    try {
      return await openDevices([kind], picture);
    } catch (error) {
      Object.assign(fault, await faultOf(/** @type {DOMException} */ (error), kind));
    }
  }
  faults.push(fault);
  return [];
}

/**
 * All devices as far as pages may know them; null if the browser does not say. Firefox lets a window without focus wait
 * for as long as it has none. @returns {Promise<MediaDeviceInfo[]|null>}
 */
export async function knownDevices() {
  const late = new Promise((resolve) => { setTimeout(resolve, LISTING_MS, null); });
  const listed = Promise.resolve().then(() => navigator.mediaDevices?.enumerateDevices?.()).catch(() => null);
  return (await Promise.race([listed, late])) ?? null;
}

/** @param {MediaDeviceKind} kind @returns {Promise<MediaDeviceInfo[]>} */
export async function listDevices(kind) {
  const devices = (await knownDevices()) ?? [];
  return devices.filter((device) => device.kind === kind && device.deviceId !== "");
}
