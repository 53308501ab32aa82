// @ts-check
/**
 * The user's own camera and microphone during a call.
 *
 * A camera that is switched off is stopped, so its light goes out. Switching replaces tracks and never renegotiates. A
 * device that disappears or freezes is replaced by another, and used again when it returns. `stop` leaves no track
 * running. Faults of devices are kept and sent to the peer. Events: `change`, `devices` (the list has changed), `lost`
 * {kind, label of the replacement}, `asking` {faults} (the browser's permission prompt is open).
 */
import { chooseDevice, chosenDevice, KINDS, listDevices, openWhatThereIs } from "../media/devices.js";
import { silentTrack } from "./silence.js";

/** @typedef {import("../troubles.js").Kind} Kind */
/** @typedef {import("../troubles.js").Fault} Fault */

/** Systems sometimes take a device away for a moment; only longer interruptions are reported. */
const PAUSED_MS = 400;
/** A phone returns the camera a moment after the page becomes visible; if it is still dark then, it is frozen. */
const THAW_MS = 1500;

export class CallMedia extends EventTarget {
  /** @type {Record<Kind, MediaStreamTrack|null>} */ #tracks = { audio: null, video: null };
  isMuted = false;
  isCameraOff = true;
  #isStopped = false;
  /** Gone while in use; taken up again when there is a device. @type {Set<Kind>} */ #missing = new Set();
  /** What is wrong with each. @type {Map<Kind, import("../troubles.js").Cause|"paused">} */ #faults = new Map();
  /** @type {Partial<Record<Kind, ReturnType<typeof setTimeout>>>} */ #pausing = {};
  #listening = new AbortController();
  #queue = Promise.resolve();
  /** @type {ReturnType<typeof silentTrack>|null} */ #silence = null;

  /** @param {import("./webrtc/engine.js").CallEngine} engine */
  constructor(engine) {
    super();
    this.engine = engine;
    const { signal } = this.#listening;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#devicesChanged(), { signal });
    document.addEventListener("visibilitychange", () => this.#returned(), { signal });
  }

  /** One change after the other. @param {() => Promise<Fault[]|void>} work @returns {Promise<Fault[]>} for the caller to tell */
  #inTurn(work) {
    const done = this.#queue.then(() => (this.#isStopped ? undefined : work())).then((faults) => faults ?? []);
    this.#queue = done.then(() => undefined, () => undefined);
    return done;
  }

  get hasMicrophone() { return this.#tracks.audio !== null; }
  get videoTrack() { return this.#tracks.video; }

  /** The device in use, by its id. @param {Kind} kind */
  deviceOf(kind) {
    return this.#tracks[kind]?.getSettings().deviceId ?? "";
  }

  /** What the peer is sent. */
  get state() {
    const { paused } = this;
    return {
      audio: this.hasMicrophone && !this.isMuted && !paused.includes("audio"), video: !this.isCameraOff && !paused.includes("video"),
      faults: /** @type {Partial<Record<Kind, string>>} */ (Object.fromEntries(this.#faults)),
    };
  }

  /** Devices that the system has muted: a phone call, the lock screen, a hardware switch. */
  get paused() {
    return KINDS.filter((kind) => this.#faults.get(kind) === "paused");
  }

  /** Opens the devices that are not open yet. @returns {Promise<Fault[]>} the faults */
  async open(kinds = KINDS.filter((kind) => !this.#tracks[kind])) {
    const { tracks, faults } = await openWhatThereIs(kinds, { asking: (waiting) => this.#asking(waiting) });
    for (const kind of kinds) this.#faults.delete(kind);
    for (const { kind, cause } of faults) this.#faults.set(kind, cause);
    if (tracks.length) await this.#take(tracks);
    this.#changed();
    return faults;
  }

  /** @param {Fault[]} faults */
  #asking(faults) {
    if (this.#isStopped) return;
    for (const { kind, cause } of faults) this.#faults.set(kind, cause);
    this.#changed();
    this.dispatchEvent(new CustomEvent("asking", { detail: faults }));
  }

  /** @param {Kind[]} kinds */
  openOnly(kinds) {
    return this.#inTurn(() => this.open(kinds));
  }

  /** Text only: a silent track is sent instead of the microphone. */
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
    track.onmute = () => this.#pause(kind, track, true);
    track.onunmute = () => this.#pause(kind, track, false);
    if (track.muted) track.onmute(new Event("mute"));
    await this.engine.setTrack(kind, track);
  }

  /** The system holds a device back, or gives it again. @param {Kind} kind @param {MediaStreamTrack} track @param {boolean} isPaused */
  #pause(kind, track, isPaused) {
    clearTimeout(this.#pausing[kind]);
    this.#pausing[kind] = setTimeout(() => {
      if (this.#tracks[kind] !== track || this.#isStopped) return;
      if (isPaused) this.#faults.set(kind, "paused");
      else this.#faults.delete(kind);
      this.#changed();
    }, isPaused ? PAUSED_MS : 0);
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
    await this.#open(kind);
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
      if (this.isCameraOff) return this.open(["video"]);
      await this.#drop("video");
      this.#faults.delete("video");
      return this.#changed();
    });
  }

  /** @param {Kind} kind @param {string} deviceId */
  use(kind, deviceId) {
    chooseDevice(kind, deviceId);
    return this.#inTurn(async () => {
      if (kind === "video" && this.isCameraOff) return undefined;
      this.#tracks[kind]?.stop(); // some cameras open only once
      return this.#open(kind);
    });
  }

  /** @param {Kind} kind */
  async #open(kind) {
    const faults = await this.open([kind]);
    if (!faults.length) return faults;
    await this.#drop(kind);
    await this.#take([]);
    return faults;
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
    return void (await this.#open(kind));
  }

  /** A phone may have taken the camera away while the page was in the background. */
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
