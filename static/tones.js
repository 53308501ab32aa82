// @ts-check
/**
 * The ring tone, made by WebAudio: two warm notes every two seconds, without a file. Browsers block sound until the user
 * interacts with the page; `watchSound` reports this, so that the page can ask for a touch.
 */
import { keepRunning, lacksActivation, onActivation } from "./ringing/activation.js";

/** @type {AudioContext|null} */
let context = null;
let isMissing = false;
/** @type {ReturnType<typeof setInterval>|undefined} */
let repeat;

/** @type {Set<(isLocked: boolean) => void>} */
const listeners = new Set();

/** Call from a touch or key event. */
export function unlockAudio() {
  context ??= open();
  if (context && context.state !== "running") context.resume().catch(() => undefined);
  notify();
}

/** Null where there is no WebAudio, or no more of it: a ring is then only seen. */
function open() {
  try {
    const opened = new AudioContext();
    keepRunning(opened, notify);
    return opened;
  } catch {
    isMissing = true;
    return null;
  }
}

/** Whether a ring would be silent until the user interacts with the page. */
const isLocked = () => (context ? context.state !== "running" : !isMissing && lacksActivation());

function notify() {
  for (const listener of listeners) listener(isLocked());
}

/** Unlocks the sound at the first touch of any kind. @param {(isLocked: boolean) => void} listener at once, and at each change */
export function watchSound(listener) {
  listeners.add(listener);
  listener(isLocked());
  const stop = onActivation(() => { stop(); if (!context) unlockAudio(); });
}

/** @param {AudioContext} audio @param {number} hertz @param {number} at seconds of the context @param {number} loudness @param {AudioNode} [exit] */
function note(audio, hertz, at, loudness, exit = audio.destination) {
  const voice = new OscillatorNode(audio, { type: "sine", frequency: hertz });
  const swell = new GainNode(audio, { gain: 0 });
  swell.gain.setValueAtTime(0, at);
  swell.gain.linearRampToValueAtTime(loudness, at + 0.03);
  swell.gain.exponentialRampToValueAtTime(0.001, at + 0.75);
  voice.connect(swell).connect(exit);
  voice.start(at);
  voice.stop(at + 0.8);
}

/** @param {number} loudness */
function chime(loudness) {
  if (context?.state !== "running") return;
  note(context, 659.25, context.currentTime, loudness);
  note(context, 493.88, context.currentTime + 0.28, loudness);
}

/** Rings until stopTone; the caller hears it softly. @param {"in"|"out"} direction */
export function startTone(direction) {
  stopTone();
  const loudness = direction === "in" ? 0.22 : 0.05;
  if (!context && !lacksActivation()) unlockAudio();
  chime(loudness);
  repeat = setInterval(() => chime(loudness), 2000);
  notify();
}

export function stopTone() {
  clearInterval(repeat);
}

const TEST_MS = 1400;

/** Two notes from the loudspeaker of that id ("" is the system's own). Call from a click. @param {string} deviceId */
export async function playTestSound(deviceId) {
  const audio = new AudioContext();
  const exit = audio.createMediaStreamDestination();
  const player = new Audio();
  player.srcObject = exit.stream;
  if (deviceId && "setSinkId" in player) await player.setSinkId(deviceId).catch(() => undefined);
  const done = new Promise((resolve) => { setTimeout(resolve, TEST_MS); });
  audio.resume().catch(() => undefined); // Safari may make it suspended, or interrupt it
  await player.play();
  note(audio, 659.25, audio.currentTime, 0.3, exit);
  note(audio, 880, audio.currentTime + 0.4, 0.3, exit);
  await done;
  player.srcObject = null;
  await audio.close();
}
