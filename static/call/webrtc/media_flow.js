// @ts-check
/**
 * Whether media really arrives: the connection is "connected" and inbound RTP bytes grow.
 * Uses timestamps, not ticks, so a throttled tab decides late but correctly.
 */

const LOOK_MS = 500;
const STALL_MS = 2500;
const SUSPECT_MS = 1000;

export class MediaFlow {
  isFlowing = false;
  /** The peer's seat is empty: a stall is reported sooner. */
  isSuspect = false;
  #bytes = 0;
  #grewAt = 0;
  /** @type {RTCPeerConnection|null} */ #seen = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;

  /** @param {() => RTCPeerConnection|null} connection @param {(isFlowing: boolean) => void} changed */
  constructor(connection, changed) {
    this.connection = connection;
    this.changed = changed;
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Milliseconds since the last bytes arrived. */
  get silentMs() {
    return performance.now() - this.#grewAt;
  }

  async look() {
    const pc = this.connection();
    if (!pc) return this.#set(false);
    const bytes = await inboundBytes(pc).catch(() => 0);
    if (pc !== this.connection()) return;
    const grew = pc === this.#seen && bytes > this.#bytes;
    [this.#seen, this.#bytes] = [pc, bytes];
    if (grew) this.#grewAt = performance.now();
    this.#judge(pc.connectionState, grew);
  }

  /** @param {RTCPeerConnectionState} state @param {boolean} grew */
  #judge(state, grew) {
    const patience = state === "connected" && !this.isSuspect ? STALL_MS : SUSPECT_MS;
    if (!this.isFlowing && grew && state === "connected") this.#set(true);
    if (this.isFlowing && this.silentMs > patience) this.#set(false);
  }

  /** @param {boolean} isFlowing */
  #set(isFlowing) {
    if (isFlowing === this.isFlowing) return;
    this.isFlowing = isFlowing;
    this.changed(isFlowing);
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/** @param {RTCPeerConnection} pc */
async function inboundBytes(pc) {
  let bytes = 0;
  (await pc.getStats()).forEach((report) => { if (report.type === "inbound-rtp") bytes += report.bytesReceived ?? 0; });
  return bytes;
}

/**
 * The numbers for diagnostics, without addresses.
 * @param {RTCPeerConnection} pc
 */
export async function readStats(pc) {
  const sum = { framesDecoded: 0, framesSent: 0, bytesReceived: 0, bytesSent: 0, packetsLost: 0 };
  (await pc.getStats()).forEach((report) => {
    if (report.type === "inbound-rtp") {
      sum.framesDecoded += report.framesDecoded ?? 0;
      sum.bytesReceived += report.bytesReceived ?? 0;
      sum.packetsLost += report.packetsLost ?? 0;
    } else if (report.type === "outbound-rtp") {
      sum.framesSent += report.framesSent ?? 0;
      sum.bytesSent += report.bytesSent ?? 0;
    }
  });
  return sum;
}
