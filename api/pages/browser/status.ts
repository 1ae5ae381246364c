import { postmarkOf } from "../art/postmark.ts";
import { durationText } from "../duration.ts";

const LANGUAGE = document.documentElement.lang === "en" ? "en" : "vi";
/** What may change; all else of the page stays as it is, and so does where a reader is in it. */
const PARTS = ["stamp", "state", "count", "retry", "steps", "next", "updates"];
const POLL_EVERY_MS = 5_000;
/** What counts does so in tenths. The clocks of reader and server may differ, too. */
const SHORTEST_MS = 100;

const local = new Intl.DateTimeFormat(LANGUAGE === "en" ? "en-GB" : "vi-VN", {
  dateStyle: "short",
  timeStyle: "medium",
});

/** Times in the reader's own time zone. */
const localise = () => {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time:not([data-keep])")) {
    time.textContent = local.format(new Date(time.dateTime));
  }
  for (const mark of document.querySelectorAll<SVGGElement>(".postmark")) {
    const { date, time } = postmarkOf(mark.dataset["at"] ?? "");
    for (const [index, text] of [...mark.querySelectorAll("text")].entries())
      text.textContent = [date, time][index] ?? "";
  }
};

/** What counts up, or down. */
const tick = () => {
  for (const place of document.querySelectorAll<HTMLElement>("[data-since]")) {
    const { since = "", before = "", after = "" } = place.dataset;
    place.textContent = `${before}${durationText(Math.max(SHORTEST_MS, Date.now() - Date.parse(since)), LANGUAGE)}${after}`;
  }
  for (const place of document.querySelectorAll<HTMLElement>("[data-until]")) {
    const leftMs = Date.parse(place.dataset["until"] ?? "") - Date.now();
    const [later, left, link] = [".later", ".left", "a"].map((part) => place.querySelector<HTMLElement>(part));
    if (later) later.hidden = leftMs <= 0;
    if (link) link.hidden = leftMs > 0;
    if (left) left.textContent = durationText(Math.ceil(leftMs / 1_000) * 1_000, LANGUAGE).replace(/[.,]0/, "");
  }
};

const streamOf = (page: Document): string | undefined => page.getElementById("mail")?.dataset["stream"];

/** Reads the page again and takes over what has changed: the server alone knows how a state is shown. */
const refresh = async (): Promise<void> => {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of PARTS) {
    const [here, there] = [document.getElementById(id), fresh.getElementById(id)];
    if (here && there && here.innerHTML !== there.innerHTML) here.replaceChildren(...there.childNodes);
  }
  const [card, freshCard] = [document.getElementById("mail"), fresh.getElementById("mail")];
  if (card && freshCard) {
    card.className = freshCard.className;
    if (streamOf(fresh) === undefined) delete card.dataset["stream"];
  }
  document.title = fresh.title;
  localise();
  tick();
};

const follow = (address: string) => {
  const stream = new EventSource(address);
  let reading = Promise.resolve();
  const readAgain = () => {
    reading = reading.then(refresh).catch(() => undefined);
    void reading.then(() => {
      if (streamOf(document) === undefined) stream.close();
    });
  };
  stream.addEventListener("status", readAgain);
  stream.addEventListener("error", () => {
    // Refused, or there is nothing more to come; what is merely cut off connects again by itself.
    if (stream.readyState !== EventSource.CLOSED) return;
    const polling = setInterval(() => {
      if (streamOf(document) === undefined) clearInterval(polling);
      else readAgain();
    }, POLL_EVERY_MS);
  });
};

const stream = streamOf(document);
if (stream !== undefined) follow(stream);
localise();
tick();
// Tenths count while the mail is on its way.
setInterval(tick, 100);
