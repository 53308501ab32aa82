// @ts-check
/**
 * Camera, microphone and loudspeaker: asking for them, remembering the choice, and saying what is wrong in plain words.
 * Constraints are wishes (`ideal`), never demands, so that any device will do.
 */

/** @typedef {"audio"|"video"} Kind */
/** @typedef {{title: string, help: string, canRetry: boolean}} Trouble */

const KEYS = { audio: "napalm.microphone", video: "napalm.camera", output: "napalm.speaker" };

/** @param {Kind|"output"} kind */
export const chosenDevice = (kind) => localStorage.getItem(KEYS[kind]) ?? "";

/** @param {Kind|"output"} kind @param {string} deviceId */
export const chooseDevice = (kind, deviceId) => localStorage.setItem(KEYS[kind], deviceId);

/** @param {Kind} kind @returns {MediaTrackConstraints} */
function wish(kind) {
  const deviceId = chosenDevice(kind) ? { deviceId: { ideal: chosenDevice(kind) } } : {};
  if (kind === "audio") return { ...deviceId, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const facing = chosenDevice("video") ? {} : { facingMode: { ideal: "user" } };
  return { ...deviceId, ...facing, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
}

/** @param {Kind[]} kinds @returns {Promise<MediaStreamTrack[]>} */
export async function openDevices(kinds) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("No secure context", "SecurityError");
  const constraints = { audio: kinds.includes("audio") && wish("audio"), video: kinds.includes("video") && wish("video") };
  const tracks = (await navigator.mediaDevices.getUserMedia(constraints)).getTracks();
  for (const track of tracks) if (track.kind === "video") track.contentHint = "motion";
  return tracks;
}

/**
 * Both if possible, else the one that works. A refusal is a decision and is not asked about again behind the person's back.
 * @returns {Promise<{tracks: MediaStreamTrack[], error: DOMException|null}>}
 */
export async function openWhatThereIs() {
  try {
    return { tracks: await openDevices(["audio", "video"]), error: null };
  } catch (reason) {
    const error = /** @type {DOMException} */ (reason);
    const isRefused = error.name === "NotAllowedError" || error.name === "SecurityError";
    return { tracks: isRefused ? [] : await openOneByOne(), error };
  }
}

async function openOneByOne() {
  const opened = await Promise.allSettled([openDevices(["audio"]), openDevices(["video"])]);
  return opened.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}

/** @type {Record<string, Trouble>} */
const TROUBLES = {
  NotAllowedError: { title: "Your camera and microphone are blocked", canRetry: true,
    help: "Allow both for this site: press the camera sign or the lock beside the address, choose Allow, then try again. On a phone, look in the browser's settings for this site." },
  NotFoundError: { title: "No camera or microphone was found", canRetry: true,
    help: "Plug one in or switch it on, then try again." },
  NotReadableError: { title: "Your camera or microphone is busy", canRetry: true,
    help: "Another program is using it. Close other calls and camera apps, then try again." },
  OverconstrainedError: { title: "Your camera cannot do what was asked", canRetry: true,
    help: "The chosen device does not fit any more. Try again and we will take any device there is." },
  SecurityError: { title: "This address is not secure", canRetry: false,
    help: "Browsers give camera and microphone only to pages opened by https. Open this site by its https address." },
};

/** What to tell about a getUserMedia error. @param {{name: string}} error @returns {Trouble} */
export function troubleOf({ name }) {
  if (!window.isSecureContext) return /** @type {Trouble} */ (TROUBLES.SecurityError);
  if (name === "OverconstrainedError") forgetDevices();
  return TROUBLES[name] ?? { title: "Your camera did not start", canRetry: true, help: "Check that it is connected, then try again." };
}

function forgetDevices() {
  localStorage.removeItem(KEYS.audio);
  localStorage.removeItem(KEYS.video);
}

/** @param {MediaDeviceKind} kind @returns {Promise<MediaDeviceInfo[]>} */
export async function listDevices(kind) {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices.filter((device) => device.kind === kind && device.deviceId !== "");
}

/** A track of silence: somebody without a microphone still sends media, so that the call counts as connected. */
export function silentTrack() {
  const context = new AudioContext();
  const exit = context.createMediaStreamDestination();
  const nothing = new ConstantSourceNode(context, { offset: 0 }); // without a source the exit sends no packets at all
  nothing.connect(exit);
  nothing.start();
  const [track] = exit.stream.getAudioTracks();
  const wake = () => { context.resume().catch(() => undefined); };
  document.addEventListener("pointerdown", wake, { once: true });
  const close = () => { track?.stop(); document.removeEventListener("pointerdown", wake); context.close().catch(() => undefined); };
  wake();
  return { track: track ?? null, close };
}
