// @ts-check
/** ICE on our side: the servers to use (short-lived credentials), and the batching of candidates (RFC 8838 trickle). */

/** @typedef {{iceServers: RTCIceServer[], ttl: number}} Credentials */

const BATCH_MS = 20;
const PATIENCE_MS = 4000;

/**
 * The answer of GET /turn/credentials, first from the page (`data-ice-servers`) and later by request. A failed request never
 * stops a call: the older answer, or none, is used.
 */
export class IceServers {
  /** @type {Credentials} */ #held = { iceServers: [], ttl: 0 };
  #heldSince = -Infinity;
  /** @type {Promise<void>|null} */ #asking = null;

  /** Without servers in the page, asks at once: the answer is there when the socket has opened. @param {string} callId */
  constructor(callId) {
    this.url = `/turn/credentials?callId=${encodeURIComponent(callId)}`;
    /** RELAY_ONLY, as stated in the page: a failed request must not undo it. */
    this.isRelayOnly = document.querySelector("#call[data-relay-only]") !== null;
    const given = document.querySelector("#call[data-ice-servers]")?.getAttribute("data-ice-servers");
    if (given) [this.#held, this.#heldSince] = [JSON.parse(given), Date.now()];
    this.configuration();
  }

  /** Fresh enough for a new connection or an ICE restart. @returns {Promise<RTCConfiguration>} */
  async configuration() {
    if (Date.now() - this.#heldSince > (this.#held.ttl * 1000) / 2) await (this.#asking ??= this.#fetch());
    const iceTransportPolicy = this.isRelayOnly ? "relay" : "all";
    return { iceServers: this.#held.iceServers, iceTransportPolicy, bundlePolicy: "max-bundle" };
  }

  async #fetch() {
    const patience = new AbortController(); // AbortSignal.timeout is newer than the browsers we serve
    const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(this.url, { headers, credentials: "same-origin", signal: patience.signal });
      if (answer.ok) [this.#held, this.#heldSince] = [await answer.json(), Date.now()];
    } catch {
      // Offline or too slow: continue with the older answer; the next restart asks again.
    }
    clearTimeout(timer);
    this.#asking = null;
  }
}

/** Collects local candidates for 20 ms and sends them together. */
export class CandidateBatch {
  /** @type {RTCIceCandidateInit[]} */ #waiting = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;

  /** @param {(candidates: RTCIceCandidateInit[]) => void} send */
  constructor(send) {
    this.send = send;
  }

  /** @param {RTCIceCandidate|null} candidate null is the end of candidates */
  add(candidate) {
    this.#waiting.push(candidate ? candidate.toJSON() : { candidate: "", sdpMid: "0", sdpMLineIndex: 0 });
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const candidates = this.#waiting.splice(0);
    if (candidates.length) this.send(candidates);
  }
}

/**
 * Relay only, and no relay answers: reported immediately when gathering ends without a candidate, and after six seconds,
 * because a silent TURN server would keep the browser waiting for half a minute.
 */
export class RouteWatch {
  static PATIENCE_MS = 6000;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;

  /** @param {() => void} onNoRoute */
  constructor(onNoRoute) {
    this.onNoRoute = onNoRoute;
  }

  /** A new connection starts; the time limit of an older one continues. */
  begin() {
    this.#timer ??= setTimeout(() => this.onNoRoute(), RouteWatch.PATIENCE_MS);
  }

  /** @param {RTCIceCandidate|null} candidate */
  received(candidate) {
    if (candidate?.candidate) this.stop();
  }

  /** @param {RTCPeerConnection} pc */
  look(pc) {
    const hasNone = !pc.localDescription?.sdp.includes("a=candidate:");
    if (pc.iceGatheringState === "complete" && hasNone) this.onNoRoute();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Candidates that arrived before their description, held until it is set. */
export class EarlyCandidates {
  static MOST = 256;
  /** @type {{attempt: number, candidate: RTCIceCandidateInit}[]} */ #held = [];

  /** @param {number} attempt @param {RTCIceCandidateInit[]} candidates */
  add(attempt, candidates) {
    for (const candidate of candidates) this.#held.push({ attempt, candidate });
    this.#held.splice(0, Math.max(0, this.#held.length - EarlyCandidates.MOST));
  }

  /** Those that fit the remote description now; older attempts fall away. @param {number} attempt @param {string} sdp */
  take(attempt, sdp) {
    const fits = (/** @type {RTCIceCandidateInit} */ { usernameFragment }) =>
      !usernameFragment || sdp.includes(`a=ice-ufrag:${usernameFragment}`);
    const held = this.#held.filter((one) => one.attempt >= attempt);
    const ready = held.filter((one) => one.attempt === attempt && fits(one.candidate));
    this.#held = held.filter((one) => !ready.includes(one));
    return ready.map((one) => one.candidate);
  }
}

/** Who wrote a description and how often: the `o=` line (RFC 8866 5.2). @param {string} sdp */
export function originOf(sdp) {
  const [, session = "", version = "0"] = /^o=\S+ (\d+) (\d+)/m.exec(sdp) ?? [];
  return { session, version: Number(version) };
}
