/* The theme that the console was left in, for pages that stand without its frame. */
(() => {
  "use strict";

  const chosen = localStorage.getItem("adminTheme")?.replaceAll('"', "") ?? "auto";
  const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
})();
