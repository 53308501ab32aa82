// @ts-check
/** A track of silence: a user without a microphone still sends media, so that the call counts as connected. */
import { keepRunning } from "../ringing/activation.js";

export function silentTrack() {
  const context = new AudioContext();
  const exit = context.createMediaStreamDestination();
  const nothing = new ConstantSourceNode(context, { offset: 0 }); // without a source the destination sends no packets
  nothing.connect(exit);
  nothing.start();
  const [track] = exit.stream.getAudioTracks();
  const stop = keepRunning(context);
  context.resume().catch(() => undefined);
  const close = () => { stop(); track?.stop(); context.close().catch(() => undefined); };
  return { track: track ?? null, close };
}
