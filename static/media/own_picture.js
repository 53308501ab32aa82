// @ts-check
/**
 * The user's own picture and the level of the microphone. The <video> stays the same in the room and in the call, where it
 * can be dragged; it never moves in the document. Muted, and seen by the user only.
 */
import { listenTo } from "./microphone_level.js";
import { ownDevices } from "./own_devices.js";

const video = /** @type {HTMLVideoElement} */ (document.getElementById("local-video"));
const level = /** @type {HTMLMeterElement} */ (document.getElementById("own-level"));
let at = { x: 0, y: 0 };
/** @type {MediaStreamTrack|null} */ let heard = null;
let stopListening = () => {};

const isInCall = () => document.body.classList.contains("is-call");

function draw() {
  const track = ownDevices.videoTrack;
  const shown = /** @type {MediaStream|null} */ (video.srcObject)?.getVideoTracks()[0] ?? null;
  video.hidden = track === null;
  if (!isInCall()) move({ x: 0, y: 0 });
  hear(isInCall() ? null : ownDevices.audioTrack);
  if (shown === track) return;
  video.srcObject = track && new MediaStream([track]);
  if (track) video.play().catch(() => undefined);
}

/** Only where the level is shown. @param {MediaStreamTrack|null} track */
function hear(track) {
  level.hidden = track === null;
  if (track === heard) return;
  heard = track;
  stopListening();
  stopListening = track ? listenTo(track, (now) => { level.value = now; }) : () => {};
}

/** @param {{x: number, y: number}} place relative to its own */
function move(place) {
  at = place;
  video.style.translate = at.x || at.y ? `${at.x}px ${at.y}px` : "";
}

/** Inside the window. */
function inside() {
  const box = video.getBoundingClientRect();
  const x = at.x + Math.max(0, -box.left) - Math.max(0, box.right - innerWidth);
  const y = at.y + Math.max(0, -box.top) - Math.max(0, box.bottom - innerHeight);
  return { x, y };
}

let from = at;
video.addEventListener("pointerdown", (event) => {
  if (!isInCall()) return;
  video.setPointerCapture(event.pointerId);
  from = { x: event.clientX - at.x, y: event.clientY - at.y };
});
video.addEventListener("pointermove", (event) => {
  if (video.hasPointerCapture(event.pointerId)) move({ x: event.clientX - from.x, y: event.clientY - from.y });
});
video.addEventListener("lostpointercapture", () => move(inside()));
ownDevices.addEventListener("change", draw);
document.addEventListener("htmx:after:swap", draw);
draw();
