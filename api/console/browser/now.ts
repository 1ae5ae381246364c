// Keeps the page of what happens now up to date, and filters its groups while one types.

interface Places {
  readonly now: HTMLElement;
  readonly live: HTMLElement;
  readonly filter: HTMLInputElement;
}

const placesOf = (): Places | undefined => {
  const [now, live, filter] = ["#now", "#live", "#filter"].map((selector) => document.querySelector(selector));
  return now instanceof HTMLElement && live instanceof HTMLElement && filter instanceof HTMLInputElement
    ? { now, live, filter }
    : undefined;
};

const partsIn = (parent: ParentNode): HTMLElement[] =>
  [...parent.children].filter((child) => child instanceof HTMLElement);

/** Focus by what is focused: the element itself may be replaced. */
const focusedIn = (): string | undefined => {
  const part = document.activeElement?.closest<HTMLElement>("[data-part]")?.dataset["part"];
  const href = document.activeElement?.getAttribute("href") ?? undefined;
  return part === undefined || href === undefined
    ? undefined
    : `[data-part="${CSS.escape(part)}"] a[href="${CSS.escape(href)}"]`;
};

const keepLive = ({ now, live, filter }: Places): void => {
  const applyFilter = () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of now.querySelectorAll<HTMLElement>("[data-name]")) {
      row.hidden = row.dataset["name"]?.includes(wanted) === false;
    }
    // What is collapsed may be what is looked for.
    if (wanted === "") return;
    for (const details of now.querySelectorAll<HTMLDetailsElement>("[data-keep=quiet], [data-keep=idle]"))
      details.open = true;
  };

  const sources = new Map<string, string>();

  /** Puts a part in the place of its former self, with what was opened in it. */
  const replace = (current: HTMLElement, part: HTMLElement) => {
    for (const { dataset } of current.querySelectorAll<HTMLDetailsElement>("details[open]")) {
      part.querySelector(`details[data-keep="${dataset["keep"]}"]`)?.setAttribute("open", "");
    }
    current.replaceWith(part);
  };

  const update = (html: string) => {
    const next = document.createElement("template");
    next.innerHTML = html;
    const focused = focusedIn();
    const scrolls = new Map([...now.querySelectorAll(".scroll")].map((each) => [each.ariaLabel, each.scrollLeft]));
    for (const part of partsIn(next.content)) {
      const { part: name = "" } = part.dataset;
      const source = part.outerHTML;
      const current = partsIn(now).find((each) => each.dataset["part"] === name);
      if (current === undefined) now.append(part);
      else if (sources.get(name) !== source) replace(current, part);
      sources.set(name, source);
    }
    for (const each of now.querySelectorAll(".scroll")) each.scrollLeft = scrolls.get(each.ariaLabel) ?? 0;
    applyFilter();
    if (focused !== undefined) now.querySelector<HTMLElement>(focused)?.focus({ preventScroll: true });
  };

  const show = (text: string, isLive: boolean) => {
    live.textContent = text;
    live.classList.toggle("off", !isLive);
  };

  filter.form?.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", applyFilter);
  const source = new EventSource(now.dataset["live"] ?? "");
  live.hidden = false;
  show("connecting", false);
  source.addEventListener("now", (event) => {
    show("live", true);
    update(event.data);
  });
  source.addEventListener("error", () => {
    show(source.readyState === EventSource.CLOSED ? "not live: load the page again" : "connecting", false);
  });
};

const places = placesOf();
if (places !== undefined) keepLive(places);
