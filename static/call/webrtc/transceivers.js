// @ts-check
/** The two fixed transceivers of a call and the limits of what they send. */

/** @typedef {"audio"|"video"} Kind */

/** What the picture may take. @typedef {{maxBitrate: number, scaleResolutionDownBy: number, active: boolean}} VideoLimit */

/** bit/s. 48 kbit/s is enough for speech in Opus, 1.2 Mbit/s for a face in 720p. */
const CAPS = { audio: 48_000, video: 1_200_000 };
/** @type {VideoLimit} */
export const FULL = { maxBitrate: CAPS.video, scaleResolutionDownBy: 1, active: true };

/** libwebrtc's first estimate of a connection (300 kbit/s) carries pictures of this size; it drops the first larger ones. */
const FIRST_PIXELS = 320;

/** @type {readonly Kind[]} */
export const KINDS = ["audio", "video"];

/** @param {RTCPeerConnection} pc @param {Kind} kind */
export function transceiverOf(pc, kind) {
  return pc.getTransceivers().find((one) => one.receiver.track.kind === kind && one.direction !== "stopped") ?? null;
}

/** The offering side brings them; the answering side adopts what the offer brought (RFC 8829 5.10). @param {RTCPeerConnection} pc @param {VideoLimit} video */
export function addTransceivers(pc, video) {
  for (const [kind, limit] of limitsOf(video)) pc.addTransceiver(kind, { direction: "sendrecv", sendEncodings: [{ ...limit }] });
}

/** @param {VideoLimit} video @returns {[Kind, Partial<VideoLimit>][]} */
const limitsOf = (video) => [["audio", { maxBitrate: CAPS.audio, active: true }], ["video", video]];

/**
 * Both directions are open and hold the current track, so mute, camera and device changes never renegotiate.
 * @param {RTCPeerConnection} pc @param {Record<Kind, MediaStreamTrack|null>} tracks
 */
export async function fillTransceivers(pc, tracks) {
  for (const kind of KINDS) {
    const transceiver = transceiverOf(pc, kind);
    if (!transceiver) continue;
    if (transceiver.direction !== "sendrecv") transceiver.direction = "sendrecv";
    if (transceiver.sender.track !== tracks[kind]) await transceiver.sender.replaceTrack(tracks[kind]);
  }
}

/** Until media flow: the first picture comes at once, and is small. @param {VideoLimit} limit @param {MediaStreamTrack|null} track @returns {VideoLimit} */
export function firstLimit(limit, track) {
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  return { ...limit, scaleResolutionDownBy: Math.max(limit.scaleResolutionDownBy, Math.max(width, height) / FIRST_PIXELS) };
}

/** Sound first: what the picture may take changes, the sound's share never does. @param {RTCPeerConnection} pc @param {VideoLimit} video */
export async function capSenders(pc, video) {
  for (const [kind, limit] of limitsOf(video)) {
    const sender = transceiverOf(pc, kind)?.sender;
    if (sender) await cap(sender, kind, limit).catch(() => undefined); // a rejected limit must not prevent the call
  }
}

/** @param {RTCRtpSender} sender @param {Kind} kind @param {Partial<VideoLimit>} limit */
async function cap(sender, kind, limit) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (!encoding) return;
  const rank = /** @type {RTCPriorityType} */ (kind === "audio" ? "high" : "low");
  const wanted = { ...limit, priority: rank, networkPriority: rank };
  const isSo = Object.entries(wanted).every(([name, value]) => /** @type {any} */ (encoding)[name] === value);
  if (isSo) return;
  Object.assign(encoding, wanted);
  if (kind === "video") Object.assign(parameters, { degradationPreference: "balanced" });
  await sender.setParameters(parameters);
}

/**
 * Sends a whole picture now: without it a receiver that has lost some waits for up to three seconds before it asks for one.
 * Browsers that do not know the option ignore it (W3C webrtc-extensions, RTCSetParameterOptions).
 * @param {RTCPeerConnection} pc
 */
export async function renewPicture(pc) {
  const sender = /** @type {any} */ (transceiverOf(pc, "video")?.sender);
  const parameters = sender?.getParameters();
  const options = { encodingOptions: parameters?.encodings?.map(() => ({ keyFrame: true })) };
  if (parameters?.encodings?.length) await sender.setParameters(parameters, options).catch(() => undefined);
}
