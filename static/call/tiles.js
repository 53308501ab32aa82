// @ts-check
/**
 * The peer's picture and sound in a call, and a button where autoplay is blocked. The two elements outlive the call's page;
 * `stop` takes the peer's tracks out of them. Until the own devices are settled, the peer is neither seen nor heard.
 */
import { chosenDevice, listDevices } from "../media/devices.js";
import { ownDevices } from "../media/own_devices.js";
import { peerTrouble } from "./peer_texts.js";

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

export class Tiles {
  /** @type {HTMLVideoElement} */ remote = element("remote-video");
  /** @type {HTMLAudioElement} */ sound = element("remote-audio");
  /** What the peer said to send; until the first report all of it is expected. With the camera on and no video, their picture is paused. */
  peer = /** @type {import("./peer_texts.js").PeerMedia} */ ({ audio: true, video: true, camera: true, faults: {} });

  /** @param {string} name of the peer @param {AbortSignal} signal the end of the page */
  constructor(name, signal) {
    this.name = name;
    this.remote.setAttribute("aria-label", name);
    element("hear").addEventListener("click", () => this.play());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.play(); }, { signal });
    for (const type of ["loadeddata", "resize", "emptied"]) this.remote.addEventListener(type, () => this.draw(), { signal });
    ownDevices.addEventListener("change", () => this.draw(), { signal });
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
    const offer = element("hear");
    if (offer) offer.hidden = !isNeeded;
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

  draw() {
    const track = /** @type {MediaStream|null} */ (this.remote.srcObject)?.getVideoTracks()[0];
    const hasPicture = Boolean(track && !track.muted && this.peer.video && this.remote.videoWidth && ownDevices.isSettled);
    this.sound.muted = !ownDevices.isSettled;
    element("call-stage").dataset.picture = hasPicture ? "yes" : "no";
    const words = element("peer-words");
    if (words) words.textContent = peerTrouble(this.name, this.peer);
  }

  stop() {
    for (const player of [this.remote, this.sound]) player.srcObject = null;
    element("call-stage").dataset.picture = "no";
  }
}
