// Keys of every page: `/` finds, `j` and `k` move in a list, `g` and a letter go to a section, `?` lists them.

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null;

const move = (by: 1 | -1): void => {
  const items = [...document.querySelectorAll<HTMLElement>("[data-item]")].filter((item) => item.offsetParent !== null);
  const at = items.findIndex((item) => item === document.activeElement || item.contains(document.activeElement));
  const next = items[at === -1 ? (by > 0 ? 0 : items.length - 1) : Math.max(0, Math.min(items.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
};

const find = (): void => {
  const field = document.querySelector("[data-find]");
  if (field instanceof HTMLInputElement) field.select();
  else location.assign("/console/find");
};

const go = (letter: string): void =>
  document.querySelector<HTMLAnchorElement>(`nav a[data-key="${CSS.escape(letter)}"]`)?.click();

let isGoing = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const wasGoing = isGoing;
  isGoing = false;
  if (wasGoing) return go(event.key);
  switch (event.key) {
    case "/":
      event.preventDefault();
      return find();
    case "j":
      return move(1);
    case "k":
      return move(-1);
    case "g":
      isGoing = true;
      return;
    case "?":
      document.querySelector<HTMLDialogElement>("#keys")?.showModal();
  }
});

export {};
