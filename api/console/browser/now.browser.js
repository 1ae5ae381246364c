// Keeps the page of what happens now up to date, and filters its groups while one types.
(() => {
  const now = document.querySelector("#now");
  const live = document.querySelector("#live");
  const filter = document.querySelector("#filter");
  if (!(now instanceof HTMLElement && live instanceof HTMLElement && filter instanceof HTMLInputElement)) return;

  const applyFilter = () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of now.querySelectorAll("[data-name]")) row.hidden = !row.dataset.name.includes(wanted);
    // What is collapsed may be what is looked for.
    if (wanted !== "") for (const details of now.querySelectorAll("[data-keep=quiet]")) details.open = true;
  };

  /** Focus by what is focused: the element itself may be replaced. */
  const focused = () => {
    const part = document.activeElement?.closest("[data-part]");
    const href = document.activeElement?.getAttribute("href");
    return part && href ? `[data-part="${CSS.escape(part.dataset.part)}"] a[href="${CSS.escape(href)}"]` : undefined;
  };

  const sources = new Map();
  const update = (html) => {
    const next = document.createElement("template");
    next.innerHTML = html;
    const selector = focused();
    const scrolls = new Map([...now.querySelectorAll(".scroll")].map((each) => [each.ariaLabel, each.scrollLeft]));
    for (const part of [...next.content.children]) {
      const source = part.outerHTML;
      const current = [...now.children].find((each) => each.dataset.part === part.dataset.part);
      if (current === undefined) now.append(part);
      else if (sources.get(part.dataset.part) !== source) {
        for (const details of current.querySelectorAll("details[open]")) {
          part.querySelector(`details[data-keep="${details.dataset.keep}"]`)?.setAttribute("open", "");
        }
        current.replaceWith(part);
      }
      sources.set(part.dataset.part, source);
    }
    for (const each of now.querySelectorAll(".scroll")) each.scrollLeft = scrolls.get(each.ariaLabel) ?? 0;
    applyFilter();
    if (selector !== undefined) now.querySelector(selector)?.focus({ preventScroll: true });
    document.dispatchEvent(new Event("console:updated"));
  };

  filter.form?.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", applyFilter);

  const source = new EventSource(now.dataset.live);
  live.hidden = false;
  const show = (text, isLive) => {
    live.textContent = text;
    live.classList.toggle("off", !isLive);
  };
  show("connecting", false);
  source.addEventListener("now", (event) => {
    show("live", true);
    update(event.data);
  });
  source.addEventListener("error", () => {
    show(source.readyState === EventSource.CLOSED ? "not live: load the page again" : "connecting", false);
  });
})();
