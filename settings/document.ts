import { SETTINGS } from "./schema.ts";
import type { Setting } from "./values.ts";
import { RECEIVER_SETTINGS } from "./webhooks.ts";

const REQUIRED_BY: Readonly<Record<string, string>> = {
  DATABASE_URL: "required by all",
  REDIS_URL: "required by api, consumer, ops",
  MAIL_SERVER: "required by groups that send mail",
  MAIL_FROM: "required by groups that send mail",
  "WEBHOOK_<NAME>_URL": "required by the receiver's group",
  "WEBHOOK_<NAME>_SECRET": "required by the receiver's group",
};

/** Settings as the documents show them; those of a receiver with a name in the place of its own. */
const shownSettings = (receiver: string): readonly (readonly [name: string, setting: Setting<unknown>])[] => [
  ...Object.entries<Setting<unknown>>(SETTINGS),
  ...Object.entries<Setting<unknown>>(RECEIVER_SETTINGS).map(
    ([part, setting]) => [`WEBHOOK_${receiver}_${part}`, setting] as const,
  ),
];

const defaultOf = (name: string, { fallback }: Setting<unknown>): string =>
  fallback === undefined ? (REQUIRED_BY[name] ?? "") : `\`${fallback}\``;

/** The settings as a Markdown table, one row each. Secrets also show their `NAME_FILE`. */
export const settingsTable = (): string => {
  const rows = shownSettings("<NAME>").map(([name, setting]) => {
    const file = setting.secret === true ? ` (or \`${name}_FILE\`)` : "";
    return `| \`${name}\`${file} | ${defaultOf(name, setting)} | ${setting.unit} | ${setting.about} |`;
  });
  return ["| variable | default | unit | what |", "| --- | --- | --- | --- |", ...rows].join("\n");
};

/** `.env.example`: every variable with its description; those with a default are commented out. */
export const environmentExample = (): string => {
  const blocks = shownSettings("CRM").map(([name, setting]) => {
    const about = setting.about.replaceAll("`", "");
    const unit = setting.unit === "" ? "" : ` [${setting.unit}]`;
    const isRequired = REQUIRED_BY[name] !== undefined;
    return `# ${about}${unit}\n${isRequired ? "" : "# "}${name}=${setting.fallback ?? setting.example}`;
  });
  return `# Generated from settings/schema.ts by \`bun run generate\`.\n\n${blocks.join("\n\n")}\n`;
};

const BEGIN = "<!-- settings: begin -->";
const END = "<!-- settings: end -->";

/** A document with the table between its two markers replaced. */
export const withSettingsTable = (document: string): string => {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the document lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n${settingsTable()}\n${END}${after}`;
};
