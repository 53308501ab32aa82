// @ts-check
/**
 * The level of a microphone: a number from 0 (silence, -60 dB) to 1, about twelve times a second. Nothing is recorded.
 */
import { keepRunning } from "../ringing/activation.js";

const LOOK_MS = 80;
const SAMPLES = 4096; // 85 ms at 48 kHz: all of the sound since the last look
const FLOOR_DB = 60;

/** @param {Float32Array} samples -1 to 1 @returns {number} 0 to 1 */
export function loudness(samples) {
  const power = samples.reduce((sum, one) => sum + one * one, 0) / Math.max(1, samples.length);
  if (power === 0) return 0;
  return Math.min(1, Math.max(0, 1 + (10 * Math.log10(power)) / FLOOR_DB));
}

/** @param {MediaStreamTrack} track @param {(level: number) => void} show @returns {() => void} stops it and frees the audio context */
export function listenTo(track, show) {
  try {
    return listen(new AudioContext(), track, show);
  } catch {
    return () => {}; // no WebAudio, or no more of it: no level
  }
}

/** @param {AudioContext} context @param {MediaStreamTrack} track @param {(level: number) => void} show @returns {() => void} */
function listen(context, track, show) {
  const letRest = keepRunning(context); // Safari starts it suspended if the click is too long ago
  const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
  const samples = new Float32Array(analyser.fftSize);
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const timer = setInterval(() => { analyser.getFloatTimeDomainData(samples); show(loudness(samples)); }, LOOK_MS);
  return () => { clearInterval(timer); letRest(); context.close().catch(() => undefined); };
}
