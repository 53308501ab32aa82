// @ts-check
/**
 * This person's own camera and microphone during a call.
 *
 * Promises: a switched-off camera is stopped (its light goes out); switching never renegotiates, tracks are replaced; a
 * device that disappears or freezes is replaced by another, and the chosen one is taken again when it comes back; `stop`
 * leaves no track alive. Events: `change`, `devices` (the list is another), `lost` {kind, label of the replacement}.
 */
import { chooseDevice, chosenDevice, listDevices, openDevices, openWhatThereIs, silentTrack } from "./devices.js";

/** @typedef {import("./senders.js").Kind} Kind */

/** @type {readonly Kind[]} */
const KINDS = ["audio", "video"];
/** A phone gives a camera back a moment after the page is seen again; one that is still dark then is frozen. */
const THAW_MS = 1500;

export class CallMedia extends EventTarget {
  /** @type {Record<Kind, MediaStreamTrack|null>} */ #tracks = { audio: null, video: null };
  isMuted = false;
  isCameraOff = true;
  #isStopped = false;
  /** Gone while in use; taken up again when there is a device. @type {Set<Kind>} */ #missing = new Set();
  #listening = new AbortController();
  #queue = Promise.resolve();
  /** @type {ReturnType<typeof silentTrack>|null} */ #silence = null;

  /** @param {import("./call.js").CallEngine} engine */
  constructor(engine) {
    super();
    this.engine = engine;
    const { signal } = this.#listening;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#devicesChanged(), { signal });
    document.addEventListener("visibilitychange", () => this.#returned(), { signal });
  }

  /** One change after the other; a failure is the caller's to tell. @param {() => Promise<void>} work @returns {Promise<void>} */
  #inTurn(work) {
    const done = this.#queue.then(() => (this.#isStopped ? undefined : work()));
    this.#queue = done.catch(() => undefined);
    return done;
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
  openOnly(kinds) {
    return this.#inTurn(async () => this.#take(await openDevices(kinds)));
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
    this.#missing.delete(kind);
    if (kind === "audio") track.enabled = !this.isMuted;
    else this.isCameraOff = false;
    track.onended = () => this.#inTurn(() => this.#replace(kind, track));
    await this.engine.setTrack(kind, track);
  }

  async #fillSilence() {
    if (this.hasMicrophone || this.#isStopped) return;
    this.#silence ??= silentTrack();
    await this.engine.setTrack("audio", this.#silence.track);
  }

  /** Unplugged, frozen or taken by another program: any other device will do. @param {Kind} kind @param {MediaStreamTrack|null} track */
  async #replace(kind, track) {
    if (this.#tracks[kind] !== track || this.#isStopped) return;
    await this.#drop(kind);
    if (track) this.#missing.add(kind);
    await openDevices([kind]).then((tracks) => this.#take(tracks), () => this.#take([]));
    if (track) this.dispatchEvent(new CustomEvent("lost", { detail: { kind, label: this.#tracks[kind]?.label ?? "" } }));
  }

  /** @param {Kind} kind */
  async #drop(kind) {
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = null;
    if (kind === "video") this.isCameraOff = true;
    await this.engine.setTrack(kind, null);
  }

  toggleMute() {
    this.isMuted = !this.isMuted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !this.isMuted;
    this.#changed();
  }

  toggleCamera() {
    return this.#inTurn(async () => {
      this.#missing.delete("video");
      if (this.isCameraOff) return this.#take(await openDevices(["video"]));
      await this.#drop("video");
      this.#changed();
    });
  }

  /** @param {Kind} kind @param {string} deviceId */
  use(kind, deviceId) {
    chooseDevice(kind, deviceId);
    return this.#inTurn(async () => {
      if (kind === "video" && this.isCameraOff) return;
      this.#tracks[kind]?.stop(); // some cameras open only once
      await this.#open(kind);
    });
  }

  /** @param {Kind} kind */
  async #open(kind) {
    try {
      await this.#take(await openDevices([kind]));
    } catch (error) {
      await this.#drop(kind);
      await this.#take([]);
      throw error;
    }
  }

  async #devicesChanged() {
    for (const kind of KINDS) await this.#inTurn(() => this.#compare(kind)).catch(() => undefined);
    this.dispatchEvent(new Event("devices"));
  }

  /** Is the device in use still there, and is it the one that was chosen? @param {Kind} kind */
  async #compare(kind) {
    const ids = (await listDevices(kind === "audio" ? "audioinput" : "videoinput")).map(({ deviceId }) => deviceId);
    const track = this.#tracks[kind];
    const isGone = ids.length > 0 && track !== null && !ids.includes(this.deviceOf(kind));
    if (track?.readyState === "ended" || isGone) return this.#replace(kind, track);
    if (!track) return this.#missing.has(kind) && ids.length ? this.#replace(kind, null) : undefined;
    if (!ids.includes(chosenDevice(kind)) || chosenDevice(kind) === this.deviceOf(kind)) return;
    track.stop();
    await this.#open(kind);
  }

  /** A phone may have taken the camera while the page was in the background. */
  async #returned() {
    if (document.visibilityState !== "visible") return;
    await this.#devicesChanged();
    setTimeout(() => KINDS.forEach((kind) => this.#inTurn(() => this.#thaw(kind))), THAW_MS);
  }

  /** @param {Kind} kind */
  async #thaw(kind) {
    const track = this.#tracks[kind];
    if (track?.muted && document.visibilityState === "visible") await this.#replace(kind, track);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  stop() {
    this.#isStopped = true;
    this.#listening.abort();
    this.#tracks.audio?.stop();
    this.#tracks.video?.stop();
    this.#tracks = { audio: null, video: null };
    this.#silence?.close();
  }
}
