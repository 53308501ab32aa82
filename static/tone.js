// @ts-check
/**
 * The ring tone, made by WebAudio: two warm notes every two seconds. No file, nothing to fetch.
 * Browsers keep sound locked until a click; `unlockAudio` belongs inside one.
 */

/** @type {AudioContext|null} */
let context = null;
/** @type {ReturnType<typeof setInterval>|undefined} */
let repeat;

/** Call from a click. */
export function unlockAudio() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => undefined);
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
  chime(loudness);
  repeat = setInterval(() => chime(loudness), 2000);
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
  await player.play();
  note(audio, 659.25, audio.currentTime, 0.3, exit);
  note(audio, 880, audio.currentTime + 0.4, 0.3, exit);
  await done;
  player.srcObject = null;
  await audio.close();
}
