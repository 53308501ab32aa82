// @ts-check
/** The peer's device state (`media:state`) in words. Unknown causes are shown as "not working". */

/**
 * @typedef {{audio: boolean, video: boolean, camera: boolean, faults: {audio?: string, video?: string, call?: string}}} PeerMedia
 */

/** @type {Record<string, (name: string, device: string) => string>} */
const CAUSES = {
  asking: (name, device) => `${name} is still allowing the ${device}`,
  blocked: (name, device) => `${name}’s ${device} is blocked in the browser`,
  missing: (name, device) => `${name}’s ${device} was not found`,
  busy: (name, device) => `${name}’s ${device} is in use by another program`,
  paused: (name, device) => `${name}’s device has paused the ${device}`,
  failed: (name, device) => `${name}’s ${device} is not working`,
};
const ALIKE = /** @type {Record<string, string>} */ ({ dismissed: "blocked", system: "blocked", policy: "blocked", insecure: "blocked" });
const NONE = { audio: "is muted", video: "has the camera off" };

/** @param {string} name @param {string} device @param {string} cause */
const because = (name, device, cause) => (CAUSES[ALIKE[cause] ?? cause] ?? CAUSES.failed)?.(name, device) ?? "";

/** Why they cannot take part in a call at all; empty when they can. @param {string} name @param {PeerMedia} peer */
export function callTrouble(name, { faults }) {
  if (!faults.call) return "";
  return faults.call === "noroute" ? `${name}’s browser finds no way through its network` : `${name}’s browser cannot make calls`;
}

/** Why no sound comes; empty when it does. @param {string} name @param {PeerMedia} peer */
export function soundTrouble(name, { audio, faults }) {
  if (audio) return "";
  return faults.audio ? because(name, "microphone", faults.audio) : `${name} ${NONE.audio}`;
}

/** Why no picture comes; empty when it does. @param {string} name @param {PeerMedia} peer */
export function pictureTrouble(name, { video, camera, faults }) {
  if (video) return "";
  if (faults.video) return because(name, "camera", faults.video);
  return camera ? `${name}’s picture is paused to keep the sound clear` : `${name} ${NONE.video}`;
}

/** All that keeps a peer from being seen and heard. @param {string} name @param {PeerMedia} peer @returns {string} */
export function peerTrouble(name, peer) {
  const { audio, video } = peer.faults;
  const both = !peer.audio && !peer.video && audio && audio === video ? because(name, "camera and microphone", audio).replace("microphone is", "microphone are").replace("microphone was", "microphone were") : "";
  const words = both ? [both] : [pictureTrouble(name, peer), soundTrouble(name, peer)];
  return [callTrouble(name, peer), ...words].filter(Boolean).join(". ");
}
