/* The console's few behaviours beside htmx: it says when it is out of date, and it answers to keys. */
(() => {
  "use strict";

  const offline = (since) => {
    const notice = document.querySelector(".pm-offline");
    if (!notice) return;
    if (since && notice.hidden) notice.querySelector("[data-since]").textContent = since.toISOString().slice(11, 19);
    notice.hidden = !since;
    document.getElementById("pm-live")?.classList.toggle("pm-stale", Boolean(since));
  };

  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach((name) =>
    document.addEventListener(name, () => offline(new Date())),
  );
  document.addEventListener("htmx:afterOnLoad", () => offline(null));

  /* What somebody has opened stays open when a part of the page is renewed. */
  let open = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    open = [...event.detail.target.querySelectorAll("details[open][id]")].map((item) => item.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  });

  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");
  const keys = {
    "/": () => (document.getElementById("searchbar") ? document.getElementById("searchbar").focus() : window.dispatchEvent(new CustomEvent("opencommand"))),
    "?": () => document.getElementById("pm-keys")?.showModal(),
    o: () => document.querySelector('a[href="/admin/"]')?.click(),
    a: () => document.querySelector('nav a[href$="/marginresult/"], a[href$="/marginresult/"]')?.click(),
    l: () => document.querySelector('a[href$="/liquidation/queue/"]')?.click(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.activeElement?.closest?.(".pm-figure")?.querySelector("button")?.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
