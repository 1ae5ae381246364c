import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readDocument } from "../../tests/documents.ts";

/** A mail of ours that a mail server accepted. */
export interface Mailed {
  readonly eventId: string;
  readonly email: string;
  readonly messageId: string;
  readonly token: string;
}

/** A sample that is about this mail. */
export const filled = (text: string, { email, messageId, token }: Mailed): string =>
  text
    .replaceAll("BARE_MESSAGE_ID", messageId.slice(1, -1))
    .replaceAll("MESSAGE_ID", messageId)
    .replaceAll("RETURN_PATH", token)
    .replaceAll("hoa@inbox.example", email);

/** A mail that came back, from `samples/`. */
export const mailSample = (name: string): string =>
  readFileSync(join(import.meta.dir, "samples", `${name}.eml`), "utf8");

/** What a provider posts, as the documentation shows it. */
export const jsonSample = (name: string): string =>
  readDocument("docs/mail-identity.md").blocks.find(({ file }) => file === `${name}.json`)?.text ?? "";
