import { returnPath } from "../../database/bounces/return-path.ts";
import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import { listSuppressions } from "../../database/users/suppressions.ts";
import { withTestDatabase } from "../../tests/database.ts";
import type { AppDeps } from "../app.ts";
import { aBody, anApp, postSignup, SERVICE_TOKEN, TEST_SETTINGS } from "../app-for-tests.ts";
import type { Mailed } from "./samples-for-tests.ts";

const ADDRESS = "bounces@toblug.example";
const BEARER = `Bearer ${SERVICE_TOKEN}`;

/** An inlet for reports, with a database of its own, and what became of the mails that they are about. */
export const anInlet = async () => {
  const database = await withTestDatabase();
  const key = await createConfirmationKey(database.db, undefined)();

  const theApp = (settings: Partial<AppDeps["settings"]> = {}) =>
    anApp(database.db, { settings: { ...TEST_SETTINGS, ...settings } }).app;

  /** A signup whose welcome mail was accepted by a mail server. */
  const aMailedSignup = async (): Promise<Mailed> => {
    const email = `u${Bun.randomUUIDv7().replaceAll("-", "")}@inbox.example`;
    const response = await theApp().fetch(postSignup(aBody({ email })));
    const { welcome_email: mail }: { welcome_email: { event_id: string } } = await response.json();
    const eventId = mail.event_id;
    const messageId = `<${eventId}.welcome@toblug.example>`;
    await database.db
      .updateTable("deliveries")
      .set({ state: "done", receipt: messageId })
      .where("event_id", "=", eventId)
      .where("group_name", "=", "welcome-email")
      .execute();
    return { eventId, email, messageId, token: returnPath(key, ADDRESS, { eventId, group: "welcome-email" }) };
  };

  const post = async (body: string, type = "message/rfc822", app = theApp(), authorization = BEARER) => {
    const response = await app.fetch(
      new Request("http://127.0.0.1/api/v1/bounces", {
        method: "POST",
        headers: { "Content-Type": type, Authorization: authorization },
        body,
      }),
    );
    const text = await response.text();
    const { items = [] }: { items?: readonly Readonly<Record<string, unknown>>[] } = JSON.parse(text);
    return { response, status: response.status, text, items };
  };

  const deliveryOf = async ({ eventId }: Mailed) =>
    database.db
      .selectFrom("deliveries")
      .select(["state", "bounce", "bounced_at", "bounce_reply", "timeline"])
      .where("event_id", "=", eventId)
      .where("group_name", "=", "welcome-email")
      .executeTakeFirstOrThrow();

  const stepsOf = async (mailed: Mailed): Promise<readonly (string | undefined)[]> =>
    (await deliveryOf(mailed)).timeline.filter(({ by }) => by === "bounces").map(({ reason }) => reason);

  const suppressionOf = async ({ email }: Mailed): Promise<string | undefined> =>
    (await listSuppressions(database.db, 1_000)).find(({ addressKey }) => addressKey === email)?.reason;

  return { ...database, theApp, aMailedSignup, post, deliveryOf, stepsOf, suppressionOf };
};

export type Inlet = Awaited<ReturnType<typeof anInlet>>;
