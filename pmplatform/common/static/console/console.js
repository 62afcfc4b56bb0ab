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

  /* A part that somebody asked for says so itself; what renews itself is out of date as a whole. */
  const unanswered = (part) => {
    part.querySelector(".pm-unanswered")?.remove();
    const notice = document.createElement("p");
    notice.className = "pm-notice pm-notice-fault pm-unanswered";
    notice.setAttribute("role", "alert");
    notice.textContent = "There was no answer. Nothing was changed; try again.";
    part.append(notice);
  };

  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach((name) =>
    document.addEventListener(name, ({ detail: { target } }) => {
      if (target.id === "pm-live") offline(new Date());
      else unanswered(target);
    }),
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

  /* A fault leads to its line in the editor of its form. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-line]");
    const editor = link?.closest("form").querySelector(".pm-editor");
    if (!editor) return;
    const before = editor.value.split("\n").slice(0, link.dataset.line - 1).join("\n").length;
    const begin = before ? before + 1 : 0;
    const end = editor.value.indexOf("\n", begin);
    editor.focus();
    editor.setSelectionRange(begin, end < 0 ? editor.value.length : end);
    editor.scrollTop = (link.dataset.line - 3) * parseFloat(getComputedStyle(editor).lineHeight);
  });

  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]");
  const follow = (path) => document.querySelector(`a[href="${path}"]`)?.click();
  const search = () => {
    const field = document.getElementById("searchbar");
    if (field) field.focus();
    else window.dispatchEvent(new CustomEvent("opencommand"));
  };
  const keys = {
    "/": ["search", search],
    "?": ["these keys", () => legend().showModal()],
    o: ["overview", () => follow("/admin/")],
    a: ["accounts", () => follow("/admin/margin/marginresult/")],
    l: ["liquidation", () => follow("/admin/liquidation/queue/")],
  };

  const legend = () => {
    const known = document.getElementById("pm-keys");
    if (known) return known;
    const dialog = document.createElement("dialog");
    dialog.id = "pm-keys";
    dialog.setAttribute("aria-label", "Keys");
    const list = document.createElement("dl");
    list.className = "pm-pairs";
    Object.entries(keys).forEach(([key, [meaning]]) => {
      list.append(Object.assign(document.createElement("dt"), { textContent: key }));
      list.append(Object.assign(document.createElement("dd"), { textContent: meaning }));
    });
    dialog.append(list, Object.assign(document.createElement("p"), { textContent: "Escape closes this." }));
    return document.body.appendChild(dialog);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.activeElement?.closest?.(".pm-figure")?.querySelector("button")?.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key][1]();
  });
})();
