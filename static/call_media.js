// @ts-check
/**
 * This person's own camera and microphone during a call.
 *
 * Promises: a switched-off camera is stopped (its light goes out); switching never renegotiates, tracks are replaced; a
 * device that disappears is replaced by another; `stop` leaves no track alive. Event `change` after each change.
 */
import { chooseDevice, openDevices, openWhatThereIs, silentTrack } from "./devices.js";

/** @typedef {import("./senders.js").Kind} Kind */

export class CallMedia extends EventTarget {
  /** @type {Record<Kind, MediaStreamTrack|null>} */ #tracks = { audio: null, video: null };
  isMuted = false;
  isCameraOff = true;
  #isStopped = false;
  /** @type {ReturnType<typeof silentTrack>|null} */ #silence = null;

  /** @param {import("./call.js").CallEngine} engine */
  constructor(engine) {
    super();
    this.engine = engine;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#devicesChanged());
    document.addEventListener("visibilitychange", () => this.#returned());
  }

  get hasMicrophone() { return this.#tracks.audio !== null; }
  get videoTrack() { return this.#tracks.video; }

  /** The device in use, by its id. @param {Kind} kind */
  deviceOf(kind) {
    return this.#tracks[kind]?.getSettings().deviceId ?? "";
  }

  /** What the peer may know. */
  get state() {
    return { audio: this.hasMicrophone && !this.isMuted, video: !this.isCameraOff };
  }

  /** Asks for both and takes what there is. @returns {Promise<DOMException|null>} what went wrong, if anything */
  async open() {
    const { tracks, error } = await openWhatThereIs();
    if (tracks.length) await this.#take(tracks);
    this.#changed();
    return error;
  }

  /** @param {Kind[]} kinds */
  async openOnly(kinds) {
    await this.#take(await openDevices(kinds));
  }

  /** Text only: silence flows in place of a voice. */
  async openNothing() {
    await this.#take([]);
  }

  /** @param {MediaStreamTrack[]} tracks */
  async #take(tracks) {
    for (const track of tracks) await this.#put(/** @type {Kind} */ (track.kind), track);
    await this.#fillSilence();
    this.#changed();
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track */
  async #put(kind, track) {
    if (this.#isStopped) return track.stop();
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = track;
    if (kind === "audio") track.enabled = !this.isMuted;
    else this.isCameraOff = false;
    track.onended = () => this.#lost(kind, track);
    await this.engine.setTrack(kind, track);
  }

  async #fillSilence() {
    if (this.hasMicrophone || this.#isStopped) return;
    this.#silence ??= silentTrack();
    await this.engine.setTrack("audio", this.#silence.track);
  }

  /** Unplugged or taken by another program: any other device will do. @param {Kind} kind @param {MediaStreamTrack} track */
  async #lost(kind, track) {
    if (this.#tracks[kind] !== track || this.#isStopped) return;
    this.#tracks[kind] = null;
    if (kind === "video") this.isCameraOff = true;
    await this.engine.setTrack(kind, null);
    await openDevices([kind]).then((tracks) => this.#take(tracks), () => this.#take([]));
  }

  toggleMute() {
    this.isMuted = !this.isMuted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !this.isMuted;
    this.#changed();
  }

  async toggleCamera() {
    if (this.isCameraOff) return this.#take(await openDevices(["video"]));
    this.isCameraOff = true;
    this.#tracks.video?.stop();
    this.#tracks.video = null;
    await this.engine.setTrack("video", null);
    this.#changed();
  }

  /** @param {Kind} kind @param {string} deviceId */
  async use(kind, deviceId) {
    chooseDevice(kind, deviceId);
    if (kind === "video" && this.isCameraOff) return;
    this.#tracks[kind]?.stop(); // some cameras open only once
    await this.#take(await openDevices([kind]));
  }

  #devicesChanged() {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const track = this.#tracks[kind];
      if (track?.readyState === "ended") this.#lost(kind, track);
    }
    this.#changed();
  }

  /** A phone may have taken the camera while the page was in the background. */
  #returned() {
    if (document.visibilityState === "visible") this.#devicesChanged();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  stop() {
    this.#isStopped = true;
    this.#tracks.audio?.stop();
    this.#tracks.video?.stop();
    this.#tracks = { audio: null, video: null };
    this.#silence?.close();
  }
}
