// Keeps the page up to date: asks for it again and puts in what has changed.
// What is selected, open or focused stays so.
(() => {
  "use strict";
  const every = Number(document.querySelector("main").dataset.every);
  const silence = document.getElementById("silence"), said = document.getElementById("said");
  const here = location.origin + location.pathname; // without a password that may stand in the address
  const focusable = "a[href],summary,[tabindex]";
  const shown = new Map();
  let answered = new Date(), timer = 0, asking = false;

  const selected = (part) => {
    const now = getSelection();
    return now && !now.isCollapsed && now.containsNode(part, true);
  };

  const put = (old, fresh) => {
    const text = fresh.outerHTML;
    if (text === (shown.get(old.id) ?? old.outerHTML) || selected(old)) return;
    shown.set(old.id, text);
    for (const open of old.querySelectorAll("details[open]")) fresh.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    const at = active ? [...old.querySelectorAll(focusable)].indexOf(active) : -1;
    old.replaceWith(fresh);
    if (!active) return;
    const next = document.getElementById(active.id) ?? fresh.querySelectorAll(focusable)[at];
    next?.focus({ preventScroll: true });
  };

  const take = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const before = document.querySelector("h1")?.textContent;
    for (const old of document.querySelectorAll("[data-live]")) {
      const part = fresh.getElementById(old.id);
      if (part) put(old, document.adoptNode(part));
    }
    document.title = fresh.title;
    const after = fresh.querySelector("h1")?.textContent ?? document.querySelector("h1")?.textContent;
    if (after !== before) said.textContent = after;
  };

  const ask = async () => {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(here, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(answer.status);
      take(await answer.text());
      answered = new Date();
      silence.hidden = true;
    } catch {
      silence.querySelector("span").textContent = answered.toISOString().slice(11, 19);
      silence.hidden = false;
    }
    asking = false;
    timer = setTimeout(ask, every);
  };

  document.addEventListener("visibilitychange", ask);
  timer = setTimeout(ask, every);
})();
