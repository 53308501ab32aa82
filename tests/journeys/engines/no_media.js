// A stub: an RTCPeerConnection through which no media flow, for WebKitGTK as Debian builds it, without WebRTC. It finds one
// candidate, so that the room does not refuse, and never makes an offer or an answer.
window.RTCPeerConnection = class extends EventTarget {
  get connectionState() { return this.isClosed ? "closed" : "new"; }
  iceConnectionState = "new"; iceGatheringState = "new"; signalingState = "stable";
  localDescription = null; remoteDescription = null; isStub = true;
  addTransceiver(kind) { return { kind, direction: "sendrecv", receiver: { track: { kind } }, sender: sender() }; }
  createDataChannel() { return new EventTarget(); }
  getTransceivers() { return []; }
  getSenders() { return []; }
  getReceivers() { return []; }
  getConfiguration() { return {}; }
  setConfiguration() {}
  restartIce() {}
  async getStats() { return new Map(); }
  async addIceCandidate() {}
  setRemoteDescription() { return new Promise(() => {}); }
  setLocalDescription() {
    setTimeout(() => this.onicecandidate?.({ candidate: { candidate: "stub", type: "host" } }));
    return new Promise(() => {});
  }
  close() { this.isClosed = true; }
};
const sender = () => ({ track: null, replaceTrack: async () => {}, getParameters: () => ({}), setParameters: async () => {} });
