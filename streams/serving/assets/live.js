// Keeps a page as the server would show it now: told that figures changed, it asks for its own
// address again and takes over what differs. Focus, scroll, open details and the form stay.
(() => {
  "use strict";
  const main = document.querySelector("main[data-live]");
  const bar = document.getElementById("live");
  if (!main || !bar || !window.EventSource) return;
  const button = bar.querySelector("button");
  const news = bar.querySelector("[role=status]");
  const LEAST_MS = 3000, ANNOUNCE_MS = 30000;
  let over = false, paused = false, waiting = false, asking = false, shownAt = 0, saidAt = 0, changed = 0;

  const figures = () => new Map([...main.querySelectorAll("tbody tr")].map((row) => {
    const table = row.closest("section");
    const key = (table ? table.getAttribute("aria-labelledby") : "") + "|" +
      [...row.children].slice(0, 2).filter((it) => !it.matches(".overall")).map((it) => it.textContent.trim()).join("|");
    return [key, row.querySelector("td.overall")];
  }).filter(([, cell]) => cell));

  const morph = (from, to) => {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(document.importNode(to, true));
      return;
    }
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE || from.matches("form")) return;
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    }
    const ours = [...from.childNodes], theirs = [...to.childNodes];
    for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) {
      if (!theirs[at]) ours[at].remove();
      else if (!ours[at]) from.append(document.importNode(theirs[at], true));
      else morph(ours[at], theirs[at]);
    }
  };

  const show = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    if (!next) return;
    main.querySelectorAll(".news").forEach((it) => it.remove());
    const before = new Map([...figures()].map(([key, cell]) => [key, cell.textContent]));
    morph(main, next);
    for (const [key, cell] of figures()) {
      if (before.has(key) && before.get(key) !== cell.textContent) {
        const mark = document.createElement("span");
        mark.className = "news mark";
        mark.textContent = " changed";
        cell.append(mark);
        changed += 1;
      }
    }
    if (changed && Date.now() - saidAt >= ANNOUNCE_MS) {
      news.textContent = changed === 1 ? "1 figure changed." : changed + " figures changed.";
      saidAt = Date.now();
      changed = 0;
    }
  };

  // The session is over: what it showed goes from the screen, too.
  const leave = () => {
    stream.close();
    main.replaceChildren(Object.assign(document.createElement("h1"), { textContent: "You are signed out" }));
    over = true;
  };

  const refresh = async () => {
    if (over) return;
    if (paused || asking) {
      waiting = true;
      return;
    }
    const rest = shownAt + LEAST_MS - Date.now();
    if (rest > 0) {
      if (!waiting) setTimeout(() => { waiting = false; refresh(); }, rest);
      waiting = true;
      return;
    }
    asking = true;
    waiting = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-cache" });
      if (answer.ok) show(await answer.text());
      bar.querySelector(".gone").hidden = answer.ok;
      if (answer.status === 401) leave();
    } catch {
      bar.querySelector(".gone").hidden = false;
    }
    shownAt = Date.now();
    asking = false;
    if (waiting) { waiting = false; refresh(); }
  };

  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Go on updating" : "Pause updates";
    if (!paused && waiting) { waiting = false; refresh(); }
  });
  bar.hidden = false;
  const stream = new EventSource("/api/v1/stream");
  stream.addEventListener("changed", refresh);
  stream.addEventListener("error", () => {
    bar.querySelector(".gone").hidden = false;
    // Refused, not cut: another question says why.
    if (stream.readyState === EventSource.CLOSED) { paused = false; refresh(); }
  });
  stream.addEventListener("open", () => { bar.querySelector(".gone").hidden = true; });
  // A page of what is being done is asked for again until it has ended.
  if (main.dataset.again) setInterval(() => { if (main.dataset.again) refresh(); }, main.dataset.again);
  window.addEventListener("pagehide", () => stream.close());
  // Back from a browser's memory: as it was, of a session that may be over.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
