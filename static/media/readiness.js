// @ts-check
/** Whether this browser can make calls at all, and whether ICE finds a route out of its network (RFC 8445 5.1.1). */

const PATIENCE_MS = 4000;

/** Lockdown Mode, extensions and policies can remove WebRTC. */
export const canCall = () => typeof RTCPeerConnection === "function" && "restartIce" in RTCPeerConnection.prototype;

/**
 * The kinds of ICE candidates that are found. @param {RTCIceServer[]} iceServers @param {(kind: string) => boolean} isEnough
 * @param {number} [ms] @returns {Promise<Set<string|null>>}
 */
export async function ways(iceServers, isEnough, ms = PATIENCE_MS) {
  const pc = new RTCPeerConnection({ iceServers });
  /** @type {Set<string|null>} */
  const found = new Set();
  pc.createDataChannel("");
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) found.add(candidate.type);
      if (!candidate || isEnough(candidate.type ?? "")) resolve(null);
    };
    pc.setLocalDescription().catch(resolve);
  });
  pc.close();
  return found;
}

/** Credentials for a look, not for a call; null when they cannot be had now. @returns {Promise<RTCIceServer[]|null>} */
async function serversToTry() {
  const answer = await fetch("/turn/credentials?purpose=check", { headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? answer.json().then(({ iceServers }) => iceServers, () => null) : null;
}

/**
 * Whether a call could connect from this browser. Any candidate is enough; without one (a policy that forbids UDP) a relay
 * may still be reachable. An unknown result counts as yes.
 */
export async function findsWayOut() {
  const hasAny = async (/** @type {RTCIceServer[]} */ servers) => (await ways(servers, () => true)).size > 0;
  try {
    if (await hasAny([])) return true;
    const servers = await serversToTry();
    return servers === null || (await hasAny(servers));
  } catch {
    return false; // some extensions keep the constructor but make it throw
  }
}
