// Keys of every page: `/` finds, `j` and `k` move in a list, `g` and a letter go to a section, `?` lists them.
(() => {
  const isTyping = (target) =>
    target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null;
  const links = () => [...document.querySelectorAll("nav a")];

  const move = (by) => {
    const items = [...document.querySelectorAll("[data-item]")].filter((item) => item.offsetParent !== null);
    const at = items.findIndex((item) => item === document.activeElement || item.contains(document.activeElement));
    const next = items[at === -1 ? (by > 0 ? 0 : items.length - 1) : Math.max(0, Math.min(items.length - 1, at + by))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  const find = () => {
    const field = document.querySelector("[data-find]");
    if (field instanceof HTMLInputElement) field.select();
    else location.assign("/console/find");
  };

  let isGoing = false;
  const go = (letter) =>
    links()
      .find((link) => link.dataset.key === letter)
      ?.click();

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
        return document.querySelector("#keys")?.showModal();
    }
  });
})();
