// Runs before the page's own scripts: remembers what the page did, and lets a test bend the devices.
(() => {
  const seen = { sent: [], opened: [], pcs: [], tracks: [], asked: 0, contexts: [], locks: { asked: 0, given: 0 }, most: 0, frameAt: 0, spoken: [] };
  const bend = { media: null, devices: null, hold: null, delay: null, play: null };
  Object.assign(window, { seen, bend });

  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    if (message.type.startsWith("rtc:") || message.type.startsWith("media:")) seen.sent.push(message);
    const parts = bend.delay?.(message) ?? [{ message, ms: 0 }];
    for (const part of parts) {
      if (part.ms) setTimeout(() => this.readyState === 1 && send.call(this, JSON.stringify(part.message)), part.ms);
      else send.call(this, JSON.stringify(part.message));
    }
  };

  // One document holds many calls: what is of one call starts again with each (also with a reload).
  const begin = () => {
    Object.assign(seen, { frameAt: 0, most: 0 });
    document.getElementById("remote-video")?.requestVideoFrameCallback(() => { seen.frameAt = epoch(); });
  };
  addEventListener("call:start", begin, true);
  addEventListener("socket:status", ({ detail: { status, path } }) => {
    if (status === "connecting") seen.opened.push(path.split(/[/?]/)[2]);
  }, true);

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      seen.pcs = [...seen.pcs.filter((pc) => pc.connectionState !== "closed"), this];
      seen.most = Math.max(seen.most, livePcs());
    }
  };
  window.AudioContext = class extends AudioContext {
    constructor(...options) {
      super(...options);
      seen.contexts.push(this);
    }
  };

  const devices = MediaDevices.prototype;
  const { getUserMedia, enumerateDevices } = devices;
  devices.getUserMedia = async function (constraints) {
    await bend.hold;
    const fault = bend.media?.(constraints);
    if (fault) throw fault;
    seen.asked += 1;
    const stream = await getUserMedia.call(this, constraints);
    seen.tracks.push(...stream.getTracks());
    return stream;
  };
  devices.enumerateDevices = async function () {
    const found = await enumerateDevices.call(this);
    return bend.devices ? found.filter(bend.devices) : found;
  };

  const lock = () => { seen.locks.asked += 1; return { released: false, release: async function () { this.released = true; seen.locks.given += 1; } }; };
  Object.defineProperty(navigator, "wakeLock", { value: { request: async () => (seen.lock = lock()) } });

  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    return bend.play?.(this) ? Promise.reject(new DOMException("no gesture yet", "NotAllowedError")) : play.call(this);
  };

  const livePcs = () => seen.pcs.filter((pc) => pc.connectionState !== "closed").length;
  seen.alive = () => ({
    pcs: livePcs(), most: seen.most, tracks: seen.tracks.filter((track) => track.readyState === "live").length,
    contexts: seen.contexts.filter((context) => context.state !== "closed").length, locks: seen.locks.asked - seen.locks.given,
  });
  seen.offers = () => seen.sent.filter(({ type }) => type === "rtc:offer").length;

  const epoch = () => performance.timeOrigin + performance.now();
  addEventListener("click", ({ target }) => { if (target.closest?.("#ring")) sessionStorage.pressedAt = epoch(); }, true);
  document.addEventListener("DOMContentLoaded", () => {
    begin();
    const polite = document.getElementById("polite");
    if (polite) new MutationObserver(() => { if (polite.textContent) seen.spoken.push(polite.textContent); }).observe(polite, { childList: true });
  });
})();
