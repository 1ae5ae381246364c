/** Shows new mails as they arrive; without it, the list reloads. It reads the page again, so that there is one list to write. */
const PART = "mails";

const refresh = async (): Promise<void> => {
  const response = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const [here, there] = [document.getElementById(PART), fresh.getElementById(PART)];
  if (here === null || there === null) return;
  here.replaceChildren(...there.childNodes);
  document.title = fresh.title;
};

if (document.getElementById(PART) !== null) {
  let reading = Promise.resolve();
  const readAgain = () => {
    reading = reading.then(refresh).catch(() => undefined);
  };
  const events = new EventSource("/events");
  events.addEventListener("change", readAgain);
  // What came while the connection was lost.
  events.addEventListener("open", readAgain);
}

export {};
