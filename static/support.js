// @ts-check
/*
 * Warns about what would fail later: blocked cookies, a browser too old for the scripts, one without WebRTC, an in-app
 * browser. A classic script in the oldest syntax, because modules never run in such browsers.
 */
(function () {
  var main = document.getElementById("main");
  var agent = navigator.userAgent;

  /** @param {string} id @param {string} title @param {string} words */
  function warn(id, title, words) {
    var box = document.createElement("div");
    var strong = document.createElement("strong");
    strong.appendChild(document.createTextNode(title + " "));
    box.id = id;
    box.className = "notice notice-danger support";
    box.setAttribute("role", "alert");
    box.appendChild(strong);
    box.appendChild(document.createTextNode(words));
    if (main) main.insertBefore(box, main.firstChild);
  }

  function keepsCookies() {
    try {
      document.cookie = "probe=1; path=/; SameSite=Lax";
      var isKept = document.cookie.indexOf("probe=1") >= 0;
      document.cookie = "probe=; path=/; SameSite=Lax; max-age=0";
      return navigator.cookieEnabled !== false && isKept;
    } catch (error) {
      return false;
    }
  }

  /** The minimum for the scripts: Chrome 94, Safari 15.4, Firefox 113 (docs/decisions/web/oldest-browsers.md). */
  function isTooOld() {
    var connection = window.RTCPeerConnection;
    return !window.HTMLDialogElement || !Array.prototype.at || !window.WebSocket || !Object.fromEntries
      || (connection && !("connectionState" in connection.prototype));
  }

  /** The steps before the room, which has its own words for it. */
  function isSigningUp() {
    return document.querySelector("#onboarding-form, #onboarding-selfie, #paywall-access") !== null;
  }

  /** The steps that lead to a call, and the call. */
  function needsCalls() {
    return document.querySelector("#onboarding-form, #onboarding-selfie, #paywall-access, #room, #call") !== null;
  }

  if (!keepsCookies() && document.querySelector("form, #room, #call"))
    warn("no-cookies", "Cookies are off in your browser.", "This site keeps your sign-in in one cookie and nothing else in any; without it, each page has forgotten you. Allow cookies for this site in the browser’s settings, then reload.");
  if (!needsCalls()) return;
  if (isTooOld())
    warn("old-browser", "This browser is too old for calls.", "Update it, or use a current Chrome, Edge, Safari or Firefox.");
  else if (isSigningUp() && typeof window.RTCPeerConnection !== "function")
    warn("no-calls", "This browser cannot make video calls.", "Lockdown Mode, a privacy setting, an extension or a policy of your organisation can switch WebRTC off, and some browsers have none. Allow WebRTC for this site, or use another browser, before you sign up and pay.");
  else if (/FBAN|FBAV|FB_IAB|Instagram|Line\/|MicroMessenger|Snapchat|TikTok|musical_ly|BytedanceWebview|Pinterest|LinkedInApp|; wv\)/i.test(agent))
    warn("in-app", "This page is open inside another app.", "There, camera and microphone often do not work, and the sign-in is forgotten. Look for “Open in browser” in the app’s menu, before you sign up.");
})();
