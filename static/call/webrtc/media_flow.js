// @ts-check
/**
 * Whether media really arrives: the connection is "connected" and inbound RTP packets grow. Sound is sent all the time,
 * muted or not, so a second without a packet is a stall.
 * Uses timestamps, not ticks, so a throttled tab decides late but correctly.
 */

const LOOK_MS = 250;
/** From here on the way is checked. */
const DOUBT_MS = 1000;
/** From here on media do not flow: the clock waits. */
const STALL_MS = 2500;

export class MediaFlow {
  isFlowing = false;
  /** The peer's seat is empty: a stall is reported sooner. */
  isSuspect = false;
  #packets = 0;
  #grewAt = 0;
  #hasStalled = false;
  /** The newest connection that has carried media. @type {RTCPeerConnection|null} */ carrier = null;
  /** @type {RTCPeerConnection|null} */ #seen = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #timer;

  /** `changed` also reports each new connection: one may come so soon that media never stopped. @param {() => RTCPeerConnection|null} connection @param {{changed: (isFlowing: boolean) => void, stalled: () => void, resumed: () => void}} report */
  constructor(connection, report) {
    this.connection = connection;
    this.report = report;
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Milliseconds since the last packets arrived. */
  get silentMs() {
    return performance.now() - this.#grewAt;
  }

  /** Packets arrive now. */
  get isAlive() {
    return this.isFlowing && this.silentMs < DOUBT_MS;
  }

  async look() {
    const pc = this.connection();
    if (!pc) return this.#set(false);
    const packets = await inboundPackets(pc).catch(() => 0);
    if (pc !== this.connection()) return;
    const grew = pc === this.#seen && packets > this.#packets;
    [this.#seen, this.#packets] = [pc, packets];
    if (grew) this.#grewAt = performance.now();
    this.#judge(pc, grew);
  }

  /** @param {RTCPeerConnection} pc @param {boolean} grew */
  #judge(pc, grew) {
    const isConnected = pc.connectionState === "connected";
    const patience = isConnected && !this.isSuspect ? STALL_MS : DOUBT_MS;
    if (grew && isConnected) this.#set(true, pc);
    if (grew && this.#hasStalled) this.#setStalled(false);
    if (!this.#hasStalled && this.isFlowing && this.silentMs > DOUBT_MS) this.#setStalled(true);
    if (this.isFlowing && this.silentMs > patience) this.#set(false);
  }

  /** @param {boolean} hasStalled */
  #setStalled(hasStalled) {
    this.#hasStalled = hasStalled;
    if (hasStalled) this.report.stalled();
    else this.report.resumed();
  }

  /** @param {boolean} isFlowing @param {RTCPeerConnection|null} carrier */
  #set(isFlowing, carrier = this.carrier) {
    if (isFlowing === this.isFlowing && carrier === this.carrier) return;
    Object.assign(this, { isFlowing, carrier });
    this.report.changed(isFlowing);
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/** @param {RTCPeerConnection} pc */
async function inboundPackets(pc) {
  let packets = 0;
  (await pc.getStats()).forEach((report) => { if (report.type === "inbound-rtp") packets += report.packetsReceived ?? 0; });
  return packets;
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
