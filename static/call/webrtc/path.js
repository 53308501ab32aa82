// @ts-check
/** The path that media take between the two browsers (W3C webrtc-stats). */

/** Kind, protocol and travel time of the path in use. @param {RTCPeerConnection} pc */
export async function path(pc) {
  const stats = /** @type {Map<string, any>} */ (/** @type {unknown} */ (await pc.getStats()));
  const pairId = [...stats.values()].find((one) => one.type === "transport")?.selectedCandidatePairId;
  const pair = stats.get(pairId);
  if (!pair) return null;
  const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
  const protocol = local?.relayProtocol ?? local?.protocol;
  return { local: local?.candidateType, remote: remote?.candidateType, protocol, roundTripTime: pair.currentRoundTripTime };
}

/** `relay` if either side uses a TURN server; undefined if the browser does not tell in time. @param {RTCPeerConnection|null} pc */
export async function kindOfPath(pc) {
  const late = new Promise((resolve) => { setTimeout(() => resolve(null), 100); });
  const found = pc && /** @type {{local?: string, remote?: string}|null} */ (await Promise.race([path(pc).catch(() => null), late]));
  if (!found?.local) return undefined;
  return found.local === "relay" || found.remote === "relay" ? "relay" : "direct";
}
