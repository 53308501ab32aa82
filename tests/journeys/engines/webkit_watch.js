// Runs before each page's own scripts: prints every fault to the console, and keeps the page's audio contexts.
addEventListener("error", (event) => console.error(`uncaught ${event.message}`));
addEventListener("unhandledrejection", ({ reason }) => console.error(`uncaught ${reason?.name}: ${reason?.message}`));
addEventListener("securitypolicyviolation", (event) => console.error(`content policy: ${event.violatedDirective}`));
window.contexts = [];
window.AudioContext = class extends AudioContext {
  constructor(...options) {
    super(...options);
    contexts.push(this);
  }
};
