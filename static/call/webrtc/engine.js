// @ts-check
/**
 * The call engine: one RTCPeerConnection to one peer, kept connected. No DOM.
 *
 * Follows W3C webrtc-pc "perfect negotiation": roles come from the server, setLocalDescription() without arguments,
 * makingOffer / ignoreOffer, implicit rollback. Every signalling message carries `attempt`, which rises with each new
 * connection and each ICE restart: lower ones are stale and ignored, a higher offer always wins, equal ones are decided
 * by politeness. A peer that returns with a new connection is detected by its SDP session id and gets a new one.
 *
 * Events: `track` {track}, `flow` {isFlowing} (also for each new connection that carries media), `noroute`. The engine does not
 * own tracks: their owner adds and stops them.
 */
import { clock } from "../../clock.js";
import { MediaFlow, readStats } from "./media_flow.js";
import { CandidateBatch, EarlyCandidates, IceServers, originOf, RouteWatch } from "./ice.js";
import { Reconnect } from "./reconnect.js";
import { addTransceivers, capSenders, fillTransceivers, firstLimit, FULL, renewPicture, transceiverOf } from "./transceivers.js";

/** @typedef {import("../../socket.js").Message} Message */
/** @typedef {import("./transceivers.js").Kind} Kind */

export class CallEngine extends EventTarget {
  /** @type {RTCPeerConnection|null} */ pc = null;
  isPolite = false;
  isPeerHere = false;
  restarts = 0;
  attempt = 0;
  /** @type {Record<Kind, MediaStreamTrack|null>} */ #tracks = { audio: null, video: null };
  #videoLimit = FULL;
  /** @type {RTCPeerConnection|null} */ #making = null;
  /**
   * Whether this side created the transceivers. Chromium stops playing what a rolled-back peer receives if they came with
   * the other's offer (seen in the tested version), so the polite side, which rolls back, offers first.
   */
  #isOwn = false;
  #ignoresOffer = false;
  #remote = { session: "", version: 0, sdp: "" };
  #early = new EarlyCandidates();
  #isClosed = false;
  #queue = Promise.resolve();

  /** `check` tells whether the server answers now. @param {{callId: string, send: (message: Message) => boolean, check: () => Promise<boolean>}} wire */
  constructor({ callId, send, check }) {
    super();
    this.send = send;
    this.ice = new IceServers(callId);
    this.route = new RouteWatch(() => this.#emit("noroute", {}));
    this.flow = new MediaFlow(() => this.pc, {
      changed: (isFlowing) => this.#flowChanged(isFlowing), stalled: () => this.reconnect.soon(0), resumed: () => this.#resumed(),
    });
    this.reconnect = new Reconnect(this, {
      renegotiate: (isNew) => this.#inTurn(() => this.#renegotiate(isNew)), check,
      ask: () => this.send({ type: "rtc:ice", candidates: [], restartAt: clock.now(), attempt: this.attempt }),
    });
  }

  /** The relay is open and has said how things are. @param {{polite: boolean, peerHere: boolean, isRejoin: boolean}} state */
  start({ polite, peerHere, isRejoin }) {
    this.isPolite = polite;
    this.isPeerHere = peerHere;
    this.flow.isSuspect = !peerHere;
    if (this.isEstablished) return this.reconnect.resume();
    if (peerHere && !this.flow.isFlowing) this.reconnect.soon(this.#mayLead(isRejoin) ? 0 : 1500);
  }

  /**
   * Whether this side offers a restart: the one that created the transceivers. It can take an offer back without loss (see
   * #isOwn), and if only one side offers, there is no glare.
   */
  get leads() {
    return this.pc ? this.#isOwn : this.isPolite;
  }

  /** The polite side offers first (see #isOwn), and so does a side that returns: only it knows that its connection is new. @param {boolean} isRejoin */
  #mayLead(isRejoin) {
    return this.isPolite || (isRejoin && !this.pc);
  }

  /** The peer may be the one already in `call:state`: an offer is then on its way and gets time to be answered. */
  peerJoined() {
    const wasHere = this.isPeerHere;
    this.isPeerHere = true;
    this.flow.isSuspect = false;
    if (this.isEstablished) return this.reconnect.resume();
    this.reconnect.forget();
    this.reconnect.soon(this.isPolite && !wasHere ? 0 : 1500);
  }

  peerLeft() {
    this.isPeerHere = false;
    this.flow.isSuspect = true;
  }

  /** @param {Kind} kind @param {MediaStreamTrack|null} track */
  async setTrack(kind, track) {
    this.#tracks[kind] = track;
    const sender = this.pc && transceiverOf(this.pc, kind)?.sender;
    if (sender && sender.track !== track) await sender.replaceTrack(track);
  }

  /** The limit for video from now on, for this connection and the next, without renegotiation. @param {import("./transceivers.js").VideoLimit} limit */
  setVideoLimit(limit) {
    this.#videoLimit = limit;
    return this.#inTurn(async () => { if (this.pc) await capSenders(this.pc, this.#limit); });
  }

  /** Whether a connection of this call has carried media. */
  get isEstablished() {
    return this.flow.carrier !== null;
  }

  get #hasConnected() {
    return this.pc !== null && this.pc === this.flow.carrier;
  }

  get #limit() {
    return this.#hasConnected ? this.#videoLimit : firstLimit(this.#videoLimit, this.#tracks.video);
  }

  /** One signalling message from the peer; they are taken in turn. @param {Message} message */
  receive(message) {
    return this.#inTurn(() => this.#take(message));
  }

  /** @param {() => Promise<void>} work */
  #inTurn(work) {
    const guarded = () => (this.#isClosed ? undefined : work());
    this.#queue = this.#queue.then(guarded).catch(() => this.reconnect.soon(1000));
    return this.#queue;
  }

  /** @param {Message} message */
  async #take(message) {
    const attempt = message.attempt ?? this.attempt;
    this.reconnect.heard();
    if (message.restartAt) this.reconnect.asked(clock.now() - message.restartAt);
    if (message.type === "rtc:offer") await this.#takeOffer(message.sdp, attempt);
    else if (message.type === "rtc:answer") await this.#takeAnswer(message.sdp, attempt);
    else this.#early.add(attempt, message.candidates ?? [message.candidate]);
    await this.#addCandidates();
  }

  /** @param {string} sdp @param {number} attempt */
  async #takeOffer(sdp, attempt) {
    if (attempt < this.attempt || this.#isReplay(sdp)) return;
    const collides = this.pc !== null && (this.#making === this.pc || this.pc.signalingState !== "stable");
    const isOther = this.#remote.session !== originOf(sdp).session;
    this.#ignoresOffer = collides && attempt === this.attempt && this.#winsTie(isOther);
    if (this.#ignoresOffer) return;
    const losesSight = !isOther && !this.#isOwn && this.pc?.signalingState === "have-local-offer";
    this.attempt = attempt;
    if (!this.pc || isOther) await this.#connect();
    await this.#answer(sdp);
    if (!losesSight) return;
    this.#nextAttempt();
    await this.#begin();
  }

  /** The impolite side, as ever; but between two new connections, where nothing is rolled back, the polite one leads. @param {boolean} isOther */
  #winsTie(isOther) {
    return isOther ? this.isPolite && this.#remote.session === "" : !this.isPolite;
  }

  /** @param {string} sdp */
  async #answer(sdp) {
    const { pc } = this;
    if (!pc) return;
    await pc.setRemoteDescription({ type: "offer", sdp });
    this.#remote = { ...originOf(sdp), sdp };
    await fillTransceivers(pc, this.#tracks);
    await capSenders(pc, this.#limit);
    await pc.setLocalDescription();
    this.send({ type: "rtc:answer", sdp: pc.localDescription?.sdp ?? "", attempt: this.attempt });
    this.reconnect.progressed();
    await capSenders(pc, this.#limit);
  }

  /** @param {string} sdp @param {number} attempt */
  async #takeAnswer(sdp, attempt) {
    const { pc } = this;
    if (attempt !== this.attempt || pc?.signalingState !== "have-local-offer") return;
    await pc.setRemoteDescription({ type: "answer", sdp });
    this.#remote = { ...originOf(sdp), sdp };
    this.reconnect.progressed();
    await capSenders(pc, this.#limit);
  }

  /** An offer already taken, or one older than what is in place, changes nothing. @param {string} sdp */
  #isReplay(sdp) {
    const { session, version } = originOf(sdp);
    if (session !== this.#remote.session) return false;
    return version < this.#remote.version || sdp === this.#remote.sdp;
  }

  async #addCandidates() {
    const { pc } = this;
    if (!pc?.remoteDescription) return;
    for (const candidate of this.#early.take(this.attempt, pc.remoteDescription.sdp)) {
      await pc.addIceCandidate(candidate).catch((error) => { if (!this.#ignoresOffer) console.debug("A candidate was refused", error.name); });
    }
  }

  /** Replaces the connection with a new one. */
  async #connect() {
    const configuration = await this.ice.configuration();
    this.pc?.close();
    const pc = new RTCPeerConnection(configuration);
    this.pc = pc;
    this.#isOwn = false;
    this.#remote = { session: "", version: 0, sdp: "" };
    this.#listen(pc);
    return pc;
  }

  /** @param {RTCPeerConnection} pc */
  #listen(pc) {
    const batch = new CandidateBatch((candidates) => {
      if (pc === this.pc) this.send({ type: "rtc:ice", candidates, attempt: this.attempt });
    });
    pc.onnegotiationneeded = () => this.#offer(pc);
    pc.onicecandidate = ({ candidate }) => { this.route.received(candidate); batch.add(candidate); };
    pc.ontrack = ({ track, transceiver }) => {
      if (transceiver === transceiverOf(pc, /** @type {Kind} */ (track.kind))) this.#emit("track", { track });
    };
    pc.onconnectionstatechange = pc.oniceconnectionstatechange = () => { if (pc === this.pc) this.reconnect.stateChanged(pc); };
    pc.onicegatheringstatechange = () => this.route.look(pc);
    this.route.begin();
  }

  /** @param {RTCPeerConnection} pc */
  async #offer(pc) {
    if (pc !== this.pc) return;
    try {
      this.#making = pc;
      await pc.setLocalDescription();
      if (pc.localDescription?.type === "offer" && pc === this.pc)
        this.send({ type: "rtc:offer", sdp: pc.localDescription.sdp, attempt: this.attempt });
    } catch {
      this.reconnect.soon(1000); // superseded by the peer's offer, or closed
    } finally {
      if (this.#making === pc) this.#making = null;
    }
  }

  /** With a new connection if wanted or if no media has flowed yet, else by ICE restart (RFC 8445 9). @param {boolean} isNew */
  async #renegotiate(isNew) {
    this.#nextAttempt();
    this.reconnect.progressed();
    if (isNew || !this.pc || !this.#hasConnected) return this.#begin();
    // Firefox supports it since 115; without it the first credentials are reused.
    this.pc.setConfiguration?.({ ...this.pc.getConfiguration(), ...(await this.ice.configuration()) });
    if (this.pc.signalingState === "have-local-offer") await this.pc.setLocalDescription({ type: "rollback" });
    this.restarts += 1;
    this.pc.restartIce();
  }

  /** In seconds of the server's clock, so that the value still rises after a reload. */
  #nextAttempt() {
    this.attempt = Math.max(this.attempt + 1, Math.floor(clock.now() / 1000));
  }

  async #begin() {
    this.restarts += this.pc ? 1 : 0;
    const pc = await this.#connect();
    this.#isOwn = true;
    addTransceivers(pc, this.#limit);
    await fillTransceivers(pc, this.#tracks);
  }

  /** @param {boolean} isFlowing */
  #flowChanged(isFlowing) {
    this.#emit("flow", { isFlowing });
    if (!isFlowing) return this.reconnect.soon(0);
    this.reconnect.resumed();
    this.setVideoLimit(this.#videoLimit);
    return undefined;
  }

  /** What we sent during a stall was probably lost as well. */
  #resumed() {
    this.reconnect.resumed();
    if (this.pc) renewPicture(this.pc);
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Numbers for diagnostics, without addresses. */
  async stats() {
    const { pc, attempt, restarts } = this;
    const numbers = pc ? await readStats(pc) : null;
    return { attempt, restarts, connectionState: pc?.connectionState ?? "none", signalingState: pc?.signalingState ?? "none", ...numbers };
  }

  close() {
    this.#isClosed = true;
    this.reconnect.stop();
    this.flow.stop();
    this.route.stop();
    this.pc?.close();
    this.pc = null;
  }
}
