import type { MessageOptions } from "./message.ts";
import { CONFIRMATION } from "./templates/confirmation.ts";
import { NOTICE } from "./templates/notice.ts";
import { REMINDER } from "./templates/reminder.ts";
import { WELCOME } from "./templates/welcome.ts";

export type MailKind = "welcome" | "confirmation" | "reminder" | "notice";

/** Every kind of mail. */
export const MAILS: Readonly<Record<MailKind, Pick<MessageOptions, "kind" | "words" | "link">>> = {
  welcome: { kind: "welcome", words: WELCOME },
  confirmation: { kind: "confirmation", words: CONFIRMATION },
  reminder: { kind: "reminder", words: REMINDER },
  notice: { kind: "notice", words: NOTICE, link: (publicUrl) => publicUrl },
};
