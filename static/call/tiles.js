// @ts-check
/**
 * The video and audio elements of a call: the peer's full-screen, one's own small, and a button where autoplay is blocked.
 */
import { chosenDevice, listDevices } from "../media/devices.js";
import { peerTrouble } from "./peer_texts.js";

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

export class Tiles {
  /** @type {HTMLVideoElement} */ remote = element("remote-video");
  /** @type {HTMLAudioElement} */ sound = element("remote-audio");
  /** @type {HTMLVideoElement} */ own = element("local-video");
  /** What the peer said to send; with the camera on and no video, their picture is paused. */ peer = /** @type {import("./peer_texts.js").PeerMedia} */ ({ audio: true, video: true, camera: true, faults: {} });

  /** @param {string} name of the peer */
  constructor(name) {
    this.name = name;
    element("hear").addEventListener("click", () => this.play());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.play(); });
    for (const type of ["loadeddata", "resize", "emptied"]) this.remote.addEventListener(type, () => this.draw());
    this.#makeDraggable();
  }

  /** @param {MediaStreamTrack} track from the peer */
  add(track) {
    const player = track.kind === "video" ? this.remote : this.sound;
    player.srcObject = new MediaStream([track]);
    track.onmute = track.onunmute = () => this.draw();
    this.useSpeaker();
    this.play();
  }

  /** Video is muted and may always play; sound may need a tap first. */
  async play() {
    if (this.remote.srcObject) this.remote.play().catch(() => undefined);
    if (this.sound.srcObject) await this.sound.play().then(() => this.#offerTap(false), (error) => this.#offerTap(error.name === "NotAllowedError"));
    this.draw();
  }

  /** @param {boolean} isNeeded */
  #offerTap(isNeeded) {
    element("hear").hidden = !isNeeded;
  }

  /** The chosen speaker, or the system's default while it is unavailable. */
  async useSpeaker() {
    const { sound } = this;
    if (!("setSinkId" in sound)) return;
    const chosen = chosenDevice("output");
    const isThere = chosen !== "" && (await listDevices("audiooutput")).some(({ deviceId }) => deviceId === chosen);
    const wanted = isThere ? chosen : "";
    if (sound.sinkId !== wanted) await sound.setSinkId(wanted).catch(() => undefined);
  }

  /** @param {MediaStreamTrack|null} track one's own camera */
  showOwn(track) {
    this.own.hidden = track === null;
    const shown = /** @type {MediaStream|null} */ (this.own.srcObject)?.getVideoTracks()[0] ?? null;
    if (shown === track) return;
    this.own.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.own.play().catch(() => undefined);
  }

  draw() {
    const track = /** @type {MediaStream|null} */ (this.remote.srcObject)?.getVideoTracks()[0];
    const hasPicture = Boolean(track && !track.muted && this.peer.video && this.remote.videoWidth);
    element("call-stage").dataset.picture = hasPicture ? "yes" : "no";
    element("peer-words").textContent = peerTrouble(this.name, this.peer);
  }

  /** The user's own video can be dragged; it stays inside the area of the call. */
  #makeDraggable() {
    const { own } = this;
    let from = { x: 0, y: 0 };
    let at = { x: 0, y: 0 };
    own.addEventListener("pointerdown", (event) => { own.setPointerCapture(event.pointerId); from = { x: event.clientX - at.x, y: event.clientY - at.y }; });
    own.addEventListener("pointermove", (event) => {
      if (!own.hasPointerCapture(event.pointerId)) return;
      at = { x: event.clientX - from.x, y: event.clientY - from.y };
      own.style.translate = `${at.x}px ${at.y}px`;
    });
    own.addEventListener("lostpointercapture", () => { at = this.#inside(at); own.style.translate = `${at.x}px ${at.y}px`; });
  }

  /** @param {{x: number, y: number}} at */
  #inside(at) {
    const box = this.own.getBoundingClientRect();
    const x = at.x + Math.max(0, -box.left) - Math.max(0, box.right - innerWidth);
    const y = at.y + Math.max(0, -box.top) - Math.max(0, box.bottom - innerHeight);
    return { x, y };
  }

  stop() {
    for (const player of [this.remote, this.sound, this.own]) player.srcObject = null;
  }
}
