"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const root = document.documentElement;
  document.querySelector(".tools").hidden = false;

  const theme = (name) => { root.dataset.theme = name; };
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const flip = () => { const to = dark() ? "light" : "dark"; theme(to); try { localStorage.setItem("vigie-theme", to); } catch { /* opened from disk */ } };
  try { const kept = localStorage.getItem("vigie-theme"); if (kept) theme(kept); } catch { /* opened from disk */ }
  document.getElementById("theme").addEventListener("click", flip);

  const filter = document.getElementById("filter");
  const named = all("[data-name]");
  filter.addEventListener("input", () => {
    const want = filter.value.toLowerCase();
    for (const e of named) e.hidden = !e.dataset.name.toLowerCase().includes(want);
  });

  const number = (cell) => cell.dataset.v === undefined ? NaN : Number(cell.dataset.v);
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table), body = table.tBodies[0];
    heads.forEach((th, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = th.textContent;
      th.replaceChildren(button);
      button.addEventListener("click", () => {
        const numeric = i >= 1 && i <= 6;
        const down = th.ariaSort ? th.ariaSort === "ascending" : numeric && i !== 4;
        for (const h of heads) h.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [a.cells[i], b.cells[i]];
          if (!numeric) return x.textContent.localeCompare(y.textContent) * (down ? -1 : 1);
          const [p, q] = [number(x), number(y)];
          if (isNaN(p) || isNaN(q)) return isNaN(p) - isNaN(q);
          return (p - q) * (down ? -1 : 1);
        });
        body.append(...rows);
      });
    });
  }

  const columns = all("details.col");
  const show = (section) => { section.open = true; section.scrollIntoView(); section.querySelector("summary").focus({ preventScroll: true }); };
  const step = (by) => {
    const shown = columns.filter((c) => !c.hidden);
    const at = shown.indexOf(document.activeElement.closest?.("details.col"));
    const next = shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next) show(next);
  };
  const follow = () => { const target = document.getElementById(location.hash.slice(1)); if (target?.matches("details.col")) show(target); };
  addEventListener("hashchange", follow);
  follow();
  for (const link of all("a[href^='#c']"))
    link.addEventListener("click", () => { const d = document.getElementById(link.hash.slice(1)); if (d?.matches("details")) d.open = true; });

  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === filter) {
      if (e.key === "Escape") { filter.value = ""; filter.dispatchEvent(new Event("input")); filter.blur(); }
      return;
    }
    if (e.key === "/") { e.preventDefault(); filter.focus(); }
    else if (e.key === "j") step(1);
    else if (e.key === "k") step(-1);
    else if (e.key === "t") flip();
  });
  const keys = document.createElement("p");
  keys.textContent = `Keys: ${columns.length ? "j and k next and previous column, " : ""}/ filter, t light or dark.`;
  document.querySelector("footer").append(keys);

  let opened = [];
  addEventListener("beforeprint", () => { opened = columns.filter((c) => !c.open); for (const c of opened) c.open = true; });
  addEventListener("afterprint", () => { for (const c of opened) c.open = false; });

  const map = document.querySelector(".map");
  if (map) {
    const labels = map.dataset.w.split("|");
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    document.body.append(tip);
    map.addEventListener("pointermove", (e) => {
      const strip = e.target.closest(".strip");
      tip.hidden = !strip;
      if (!strip) return;
      const box = strip.getBoundingClientRect();
      const i = Math.min(labels.length - 1, Math.max(0, Math.floor((e.clientX - box.left) / box.width * labels.length)));
      const effect = strip.dataset.e.split(",")[i];
      tip.textContent = labels[i] + (effect ? ": effect " + effect : "");
      tip.style.left = Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = box.bottom + 6 + "px";
    });
    map.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
})();
