import { FIELDS, type Field, faultsOf, type PageWords, probablyMeant, RULES, rulesMet, type Typed } from "./checks.ts";

const form = document.querySelector<HTMLFormElement>("form[data-words]");

const inputOf = (name: string): HTMLInputElement => {
  const found = document.getElementById(name);
  if (!(found instanceof HTMLInputElement)) throw new Error(`the form has no ${name}`);
  return found;
};

const element = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  parts: Partial<Pick<HTMLElementTagNameMap[Name], "className" | "id" | "textContent">>,
): HTMLElementTagNameMap[Name] => Object.assign(document.createElement(name), parts);

/** Makes the form answer while one types: by the server's rules and in its words. Nothing is sent before the form is. */
const enhance = (form: HTMLFormElement, words: PageWords): void => {
  const inputs: Readonly<Record<Field, HTMLInputElement>> = {
    user_name: inputOf("user_name"),
    email: inputOf("email"),
    password: inputOf("password"),
  };
  const typed = (): Typed => ({
    user_name: inputs.user_name.value,
    email: inputs.email.value,
    password: inputs.password.value,
  });

  /** Shows the faults of a field beside it, or that it has none. */
  const check = (field: Field): boolean => {
    const input = inputs[field];
    const text = faultsOf(field, typed(), words.brandName)
      .map((code) => words.faults[code] ?? code)
      .join(" ");
    const id = `${field}-fault`;
    const shown = document.getElementById(id);
    const hint = document.getElementById(`${field}-hint`)?.id;
    if (text === "") {
      shown?.remove();
      input.removeAttribute("aria-invalid");
    } else {
      const place = shown ?? input.parentElement?.appendChild(element("p", { className: "fault", id }));
      if (place) place.textContent = text;
      input.setAttribute("aria-invalid", "true");
    }
    const described = [hint, text === "" ? undefined : id].filter((part) => part !== undefined).join(" ");
    if (described === "") input.removeAttribute("aria-describedby");
    else input.setAttribute("aria-describedby", described);
    return text === "";
  };

  const suggestion = element("p", { className: "hint" });
  suggestion.setAttribute("role", "status");
  inputs.email.after(suggestion);
  const suggest = () => {
    const meant = probablyMeant(inputs.email.value);
    suggestion.replaceChildren();
    if (meant === undefined) return;
    const button = element("button", { className: "link", textContent: meant });
    button.type = "button";
    button.addEventListener("click", () => {
      inputs.email.value = meant;
      check("email");
      suggest();
      inputs.email.focus();
    });
    suggestion.append(words.didYouMean[0], button, words.didYouMean[1]);
  };

  const rules = element("ul", { className: "rules" });
  const items = RULES.map(
    (rule) => [rule, rules.appendChild(element("li", { textContent: words.rules[rule] }))] as const,
  );
  inputs.password.after(rules);
  const hint = document.getElementById("password-hint");
  // The rules say the same; it stays as the field's description.
  if (hint) hint.hidden = true;
  const showRules = () => {
    const met = rulesMet(typed(), words.brandName);
    const isThere = inputs.password.value !== "";
    for (const [rule, item] of items) item.className = met[rule] ? "met" : isThere && rule !== "length" ? "unmet" : "";
  };

  for (const field of FIELDS) {
    inputs[field].addEventListener("input", () => {
      showRules();
      // A fault goes as soon as it is mended; a new one is not named before the field is left.
      if (inputs[field].getAttribute("aria-invalid") === "true") check(field);
    });
    inputs[field].addEventListener("change", () => {
      if (inputs[field].value !== "") check(field);
      if (field === "email") suggest();
    });
  }

  const toggle = document.getElementById("show-password");
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const isShown = inputs.password.type === "text";
      inputs.password.type = isShown ? "password" : "text";
      toggle.textContent = isShown ? words.show : words.hide;
      toggle.setAttribute("aria-pressed", String(!isShown));
    });
  }

  const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
  const title = document.title.replace(words.errorPrefix, "");
  // The browser's own bubbles speak its language, not the page's.
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    const faulty = FIELDS.filter((field) => !check(field));
    const [first] = faulty;
    document.title = first === undefined ? title : `${words.errorPrefix}${title}`;
    if (first !== undefined) {
      event.preventDefault();
      inputs[first].focus();
      return;
    }
    inputs.password.type = "password";
    button?.setAttribute("aria-busy", "true");
    if (button) button.textContent = words.submitting;
  });
  // The page may come back from the browser's cache as it was left.
  window.addEventListener("pageshow", () => {
    button?.removeAttribute("aria-busy");
    if (button) button.textContent = words.submit;
    showRules();
  });
};

if (form !== null) {
  const words: PageWords = JSON.parse(form.dataset["words"] ?? "");
  enhance(form, words);
}
