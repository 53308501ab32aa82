// @ts-check
/**
 * The user's own camera and microphone: opened once when the user goes online, lent to each call, closed by `close`.
 *
 * Nothing is sent until a call's engine has them (`lendTo`). A camera that is switched off is stopped, so its light goes
 * out. Switching replaces tracks and never renegotiates. A device that disappears or freezes is replaced by another, and
 * used again when it returns. `close` leaves no track running, also of a device that opens later. Faults of devices are
 * kept and sent to the peer. Events: `change`, `devices` (the list has changed), `lost` {kind, label of the replacement},
 * `asking` {faults} (the browser's permission prompt is open).
 */
import { chooseDevice, chosenDevice, KINDS, listDevices, openWhatThereIs } from "./devices.js";
import { silentTrack } from "./silence.js";
import { SystemPauses } from "./system_pauses.js";

/** @typedef {import("../troubles.js").Kind} Kind @typedef {import("../troubles.js").Fault} Fault */

/** A phone returns the camera a moment after the page becomes visible; if it is still dark then, it is frozen. */
const THAW_MS = 1500;

class OwnDevices extends EventTarget {
  /** @type {Record<Kind, MediaStreamTrack|null>} */ #tracks = { audio: null, video: null };
  isMuted = false;
  isCameraOff = true;
  /** Whether they are wanted. */ #isOpen = false;
  /** Whether the first request was answered, by the user or by the device. */ isSettled = false;
  /** @type {import("../call/webrtc/engine.js").CallEngine|null} */ #engine = null;
  /** Gone while in use; taken up again when there is a device. @type {Set<Kind>} */ #missing = new Set();
  /** What is wrong with each. @type {Map<Kind, import("../troubles.js").Cause>} */ #faults = new Map();
  #pauses = new SystemPauses(() => this.#changed());
  #queue = Promise.resolve();
  /** @type {ReturnType<typeof silentTrack>|null} */ #silence = null;

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#devicesChanged());
    document.addEventListener("visibilitychange", () => this.#returned());
  }

  /** One change after the other. @param {() => Promise<Fault[]|void>} work @returns {Promise<Fault[]>} for the caller to tell */
  #inTurn(work) {
    const done = this.#queue.then(() => (this.#isOpen ? work() : undefined)).then((faults) => faults ?? []);
    this.#queue = done.then(() => undefined, () => undefined);
    return done;
  }

  get audioTrack() { return this.#tracks.audio; }
  get videoTrack() { return this.#tracks.video; }
  get hasMicrophone() { return this.audioTrack !== null; }
  get isOpen() { return this.#isOpen; }
  get isLent() { return this.#engine !== null; }

  /** The device in use, by its id. @param {Kind} kind */
  deviceOf(kind) {
    return this.#tracks[kind]?.getSettings().deviceId ?? "";
  }

  /** What the peer is sent. */
  get state() {
    const { paused } = this;
    const causes = [...this.faults, ...paused.map((kind) => ({ kind, cause: "paused" }))];
    return {
      audio: this.hasMicrophone && !this.isMuted && !paused.includes("audio"), video: !this.isCameraOff && !paused.includes("video"),
      faults: /** @type {Partial<Record<Kind, string>>} */ (Object.fromEntries(causes.map(({ kind, cause }) => [kind, cause]))),
    };
  }

  /** @returns {Fault[]} */
  get faults() { return [...this.#faults].map(([kind, cause]) => ({ kind, cause })); }
  get paused() { return this.#pauses.kinds; }

  /** Opens the devices that are not open yet; with none missing, nothing is requested. @returns {Promise<Fault[]>} the faults */
  open() {
    this.#isOpen = true;
    return this.#inTurn(() => this.#request(KINDS.filter((kind) => !this.#tracks[kind])));
  }

  /** @param {readonly Kind[]} kinds @returns {Promise<Fault[]>} */
  async #request(kinds) {
    if (!kinds.length) return [];
    const { tracks, faults } = await openWhatThereIs(kinds, { asking: (waiting) => this.#asking(waiting) });
    if (!this.#isOpen) tracks.forEach((track) => track.stop());
    if (!this.#isOpen) return [];
    for (const kind of kinds) this.#faults.delete(kind);
    for (const { kind, cause } of faults) this.#faults.set(kind, cause);
    this.isSettled = true;
    if (tracks.length) await this.#take(tracks);
    this.#changed();
    return faults;
  }

  /** The engine of a call sends them from now on; null takes them back. @param {import("../call/webrtc/engine.js").CallEngine|null} engine */
  async lendTo(engine) {
    this.#engine = engine;
    if (!engine) return this.#takeBack();
    for (const kind of KINDS) if (this.#tracks[kind]) await engine.setTrack(kind, this.#tracks[kind]);
    if (this.#tracks.video) await this.#fillSilence();
  }

  #takeBack() {
    this.#silence?.close();
    this.#silence = null;
    this.isMuted = false;
    if (this.#tracks.audio) this.#tracks.audio.enabled = true;
    this.#changed();
  }

  /** @param {Fault[]} faults */
  #asking(faults) {
    if (!this.#isOpen) return;
    for (const { kind, cause } of faults) this.#faults.set(kind, cause);
    this.#changed();
    this.dispatchEvent(new CustomEvent("asking", { detail: faults }));
  }

  /** @param {Kind[]} kinds */
  openOnly(kinds) { return this.#inTurn(() => this.#request(kinds)); }

  /** Text only: a silent track is sent instead of the microphone. */
  async openNothing() {
    this.isSettled = true;
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
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = track;
    this.#missing.delete(kind);
    if (kind === "audio") track.enabled = !this.isMuted;
    else this.isCameraOff = false;
    track.onended = () => this.#inTurn(() => this.#replace(kind, track));
    this.#pauses.watch(kind, track);
    await this.#engine?.setTrack(kind, track);
  }

  async #fillSilence() {
    if (this.hasMicrophone || !this.#engine) return;
    this.#silence ??= silentTrack();
    await this.#engine.setTrack("audio", this.#silence.track);
  }

  /** Unplugged, frozen or taken by another program: any other device will do. @param {Kind} kind @param {MediaStreamTrack|null} track */
  async #replace(kind, track) {
    if (this.#tracks[kind] !== track) return;
    await this.#drop(kind);
    if (track) this.#missing.add(kind);
    await this.#open(kind);
    if (track) this.dispatchEvent(new CustomEvent("lost", { detail: { kind, label: this.#tracks[kind]?.label ?? "" } }));
  }

  /** @param {Kind} kind */
  async #drop(kind) {
    this.#tracks[kind]?.stop();
    this.#tracks[kind] = null;
    this.#pauses.watch(kind, null);
    if (kind === "video") this.isCameraOff = true;
    await this.#engine?.setTrack(kind, null);
  }

  toggleMute() {
    this.isMuted = !this.isMuted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !this.isMuted;
    this.#changed();
  }

  toggleCamera() {
    return this.#inTurn(async () => {
      this.#missing.delete("video");
      if (this.isCameraOff) return this.#request(["video"]);
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
    const faults = await this.#request([kind]);
    if (!faults.length) return faults;
    await this.#drop(kind);
    await this.#take([]);
    return faults;
  }

  async #devicesChanged() {
    if (!this.#isOpen) return;
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
    if (document.visibilityState !== "visible" || !this.#isOpen) return;
    await this.#devicesChanged();
    setTimeout(() => KINDS.forEach((kind) => this.#inTurn(() => this.#thaw(kind))), THAW_MS);
  }

  /** @param {Kind} kind */
  async #thaw(kind) {
    const track = this.#tracks[kind];
    if (track?.muted && document.visibilityState === "visible") await this.#replace(kind, track);
  }

  #changed() { this.dispatchEvent(new Event("change")); }

  close() {
    this.#isOpen = this.isSettled = false;
    for (const kind of KINDS) {
      this.#tracks[kind]?.stop();
      this.#pauses.watch(kind, null);
    }
    this.#tracks = { audio: null, video: null };
    this.isCameraOff = true;
    this.#missing.clear();
    this.#faults.clear();
    this.#changed();
  }
}

export const ownDevices = new OwnDevices();
