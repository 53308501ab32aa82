// @ts-check
/**
 * /calls/ID during the call: connects the relay, the engine, the own devices and the screen.
 *
 * Status texts follow from the server's state and from whether media flows. Whatever device is missing, the user can
 * still take part. At the end everything of the call is closed: connection, socket, wake lock; the devices are taken back.
 * `window.napalmCall` is the engine, for diagnostics and tests only.
 */
import { QualityMonitor } from "./quality/monitor.js";
import { Tiles } from "./tiles.js";
import { startControls } from "./controls.js";
import { CallTimer } from "./timer.js";
import { Chat } from "./chat.js";
import { offerDiagnostics } from "./diagnostics.js";
import { CLOSED, DeviceHelp, showClosed } from "./help.js";
import { callTrouble, peerTrouble, soundTrouble } from "./peer_texts.js";
import { ownDevices } from "../media/own_devices.js";
import { canCall } from "../media/readiness.js";
import { show } from "../pages.js";
import { waitOn } from "../room/presence.js";
import { relayOf } from "./webrtc/relay.js";
import { on } from "../socket.js";
import { keepAwake } from "./wake_lock.js";

/** @typedef {import("../socket.js").Message} Message */

/** @param {string} id @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

class CallPage {
  #left = new AbortController();
  now = { state: "connecting", isPeerHere: false, isFlowing: false, isEnding: false, isOver: false,
    /** Why this side cannot take part. @type {""|"noroute"|"unsupported"} */ fault: /** @type {""|"noroute"|"unsupported"} */ ("") };
  #said = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.name = root.dataset.peerName ?? "";
    const { signal } = this.#left;
    const { socket, engine } = relayOf(root.dataset.callId ?? "", signal);
    this.socket = socket;
    this.engine = engine;
    this.tiles = new Tiles(this.name, signal);
    this.timer = new CallTimer(element("call-timer"), root);
    this.chat = new Chat(element("chat"), element("unread"), socket, this.name);
    this.quality = new QualityMonitor(engine, this.tiles.peer, () => this.#tellMedia());
    this.help = new DeviceHelp(signal);
    this.letSleep = keepAwake();
    Object.assign(window, { napalmCall: engine });
    ownDevices.lendTo(engine);
    this.#listen(signal);
    startControls({ tiles: this.tiles, chat: this.chat, end: () => this.#end() }, signal);
    offerDiagnostics(element("copy-diagnostics"), { engine, quality: this.quality, state: () => ({ ...this.now, socket: socket.status }) });
    this.tiles.draw();
    this.#draw();
    if (!canCall()) this.#cannotCall();
    socket.start(); // an early seat hands over what it has received: what is said then must be complete
    if (canCall()) this.help.join(() => ownDevices.open());
  }

  #cannotCall() {
    this.#learn({ fault: "unsupported" });
    this.help.showUnsupported();
  }

  /** The status in words; empty while everything works. */
  #words() {
    const { state, isPeerHere, isFlowing, isEnding, fault } = this.now;
    if (isEnding) return "Ending…";
    if (fault === "unsupported") return "This browser cannot make video calls. You can still write.";
    if (fault && !isFlowing) return "No way through this network was found. Try another network, or a browser without extensions.";
    if (state === "connecting") return isPeerHere ? this.#whyPeerWaits() || "Connecting…" : `Waiting for ${this.name}…`;
    if (!isFlowing) return state === "paused" ? "Reconnecting… The clock waits" : "Reconnecting…";
    if (state === "paused") return "Paused: the clock waits";
    if (this.socket.status !== "open") return "Reconnecting…";
    return soundTrouble(this.name, this.tiles.peer);
  }

  /** The call waits for a peer with device problems, and the text says so. */
  #whyPeerWaits() {
    const { faults } = this.tiles.peer;
    return callTrouble(this.name, this.tiles.peer) || (faults.audio || faults.video ? peerTrouble(this.name, this.tiles.peer) : "");
  }

  #draw() {
    if (this.now.isOver) return;
    const text = this.#words();
    if (text !== this.#said) element("call-words").textContent = this.#said = text; // not read back: translators rewrite it
    this.root.dataset.state = this.now.state;
    this.root.dataset.flow = this.now.isFlowing ? "yes" : "no";
  }

  /** @param {Partial<CallPage["now"]>} news */
  #learn(news) {
    Object.assign(this.now, news);
    this.#draw();
  }

  /** "camera" is the switch; "video" is whether a picture comes. Nothing is said before it is known. */
  #tellMedia() {
    const { audio, video, faults } = ownDevices.state;
    const { sendsVideo, wantsVideo } = this.quality.state;
    const troubles = { ...faults, ...(this.now.fault ? { call: this.now.fault } : {}) };
    const hasTrouble = Object.keys(troubles).length > 0;
    if (!ownDevices.isSettled && !hasTrouble) return;
    this.socket.send({ type: "media:state", audio, video: video && sendsVideo, camera: video, wantsVideo, ...(hasTrouble ? { faults: troubles } : {}) });
  }

  /** Devices that the system has paused are also shown on the user's own screen, and disappear automatically. */
  #drawPaused() {
    const devices = ownDevices.paused.map((kind) => (kind === "audio" ? "microphone" : "camera")).join(" and ");
    const note = devices && `Your device has paused your ${devices}: a phone call, the lock screen or a switch does that. It comes back by itself.`;
    if (element("device-note").hidden && !note) return;
    element("device-note").textContent = note || "";
    element("device-note").hidden = !note;
  }

  /** @param {Message} message media:state */
  #peerMedia({ audio, video, camera = video, wantsVideo = true, faults = {} }) {
    Object.assign(this.tiles.peer, { audio, video, camera, faults: faults ?? {} });
    this.quality.peerWants(wantsVideo);
    this.tiles.draw();
    this.#draw();
  }

  /** @param {Message} message call:state */
  #welcome(message) {
    this.timer.set(/** @type {any} */ (message));
    this.#learn({ state: message.state, isPeerHere: message.peerHere });
    this.#tellMedia();
    if (this.now.isEnding) this.socket.send({ type: "call:end" });
  }

  #end() {
    this.#learn({ isEnding: true });
    this.socket.send({ type: "call:end" });
  }

  /** The same URL now shows how the call ended. */
  #ended() {
    if (this.now.isOver) return;
    this.#release();
    waitOn();
    show(location.pathname);
  }

  #release() {
    this.now.isOver = true;
    this.root.dataset.state = "ended";
    ownDevices.lendTo(null);
    this.engine.close();
    this.socket.close();
    this.tiles.stop();
    this.timer.stop();
    this.chat.stop();
    this.quality.stop();
    this.letSleep();
    this.#left.abort();
  }

  /** Left by Back or a link: the call goes on for as long as the server waits. */
  stop() {
    if (!this.now.isOver) {
      this.#left.abort();
      this.#release();
    }
    Reflect.deleteProperty(window, "napalmCall");
  }

  /** @param {boolean} isFlowing */
  #flowed(isFlowing) {
    this.#learn({ isFlowing });
    this.tiles.play();
    if (!isFlowing || this.now.fault !== "noroute") return;
    this.#learn({ fault: "" });
    this.#tellMedia();
  }

  /** @param {Message} message socket:status */
  #socketChanged({ status, code }) {
    this.#draw();
    if (status !== "closed" || this.now.isOver) return;
    if (code === 4401) return location.assign("/login");
    if (code === 1000) return this.#ended();
    const closed = CLOSED[code];
    if (!closed) return;
    this.#release();
    ownDevices.close();
    showClosed(closed);
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const { socket, engine } = this;
    on(socket, "call:state", (message) => this.#welcome(message));
    on(socket, "call:clock", (message) => { this.timer.set(/** @type {any} */ (message)); this.#learn({ state: message.state }); });
    on(socket, "call:end", () => this.#ended());
    on(socket, "peer:joined", () => { this.#learn({ isPeerHere: true }); this.#tellMedia(); });
    on(socket, "peer:left", () => this.#learn({ isPeerHere: false }));
    on(socket, "media:state", (message) => this.#peerMedia(message));
    on(socket, "socket:status", (message) => this.#socketChanged(message));
    on(engine, "track", ({ track }) => this.tiles.add(track));
    on(engine, "flow", ({ isFlowing }) => this.#flowed(isFlowing));
    on(engine, "noroute", () => { this.#learn({ fault: "noroute" }); this.#tellMedia(); });
    ownDevices.addEventListener("change", () => { this.#drawPaused(); this.#tellMedia(); }, { signal });
    element("take-back").addEventListener("click", () => show(location.pathname));
  }
}

/** @param {HTMLElement} root */
export function start(root) {
  const page = new CallPage(root);
  return () => page.stop();
}
