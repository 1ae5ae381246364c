import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { nameKey } from "../../database/comparison-key.ts";
import { eraseUser } from "../../database/users/erase.ts";
import { createSignupWriter } from "../../database/users/signup.ts";
import { randomHex } from "../../observability/trace-context.ts";
import { USER_SIGNUP_REPEATED, userSignupRepeatedSchema } from "../../stream/events/user-signup-repeated.ts";
import { boundGroups, GROUPS } from "../../stream/groups.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { disclosureOf } from "./disclosure.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const aPrivateApp = () => {
  const disclosure = disclosureOf({ SIGNUP_DISCLOSURE: "private" });
  const { app, committed } = anApp(database.db, {
    signups: createSignupWriter(database.db, boundGroups(GROUPS), disclosure),
  });
  const notices = () => committed.filter(({ type }) => type === USER_SIGNUP_REPEATED);
  return { app, committed, notices };
};

type App = ReturnType<typeof aPrivateApp>["app"];

/** A user who signed up so long ago. */
const aUser = async (app: App, hoursAgo = 2) => {
  const body = aBody({ locale: "en" });
  const { id } = await (await app.fetch(postSignup(body))).json();
  await database.db
    .updateTable("users")
    .set({ created_at: new Date(Date.now() - hoursAgo * 3_600_000) })
    .where("id", "=", id)
    .execute();
  return { ...body, id };
};

const UUID_V7 = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** An answer without what differs between any two signups. */
const shapeOf = async (response: Response, { user_name, email }: { user_name: string; email: string }) => ({
  status: response.status,
  headers: [...response.headers].map(([name, value]) => `${name}: ${value.replace(UUID_V7, "<id>")}`),
  body: (await response.text())
    .replaceAll(email, "<email>")
    .replaceAll(user_name, "<name>")
    .replace(UUID_V7, "<id>")
    .replace(TIME, "<time>"),
});

describe("a private signup", () => {
  test("answers alike whether the address is known or not, and so does its status", async () => {
    const { app, committed, notices } = aPrivateApp();
    const user = await aUser(app);
    const [known, unknown] = [aBody({ email: user.email.replace("user", "USER") }), aBody()];
    const answers = [await app.fetch(postSignup(known)), await app.fetch(postSignup(unknown))];
    const hrefs = answers.map((answer) => answer.headers.get("location") ?? "");
    const [ofKnown, ofUnknown] = [
      await shapeOf(answers[0] ?? new Response(), known),
      await shapeOf(answers[1] ?? new Response(), unknown),
    ];
    expect(ofKnown).toEqual(ofUnknown);
    expect(ofKnown.status).toBe(201);
    const statuses = hrefs.map(async (href) => shapeOf(await app.request(href), known));
    expect(await statuses[0]).toEqual((await statuses[1]) ?? ofKnown);

    expect(committed).toHaveLength(3);
    const [notice] = notices();
    expect(notice).toMatchObject({ subject: user.id, data: { user_id: user.id, locale: "en", notify: true } });
    expect(hrefs[0]).toContain(notice?.event_id ?? "-");
    const logged = await database.db
      .selectFrom("events")
      .innerJoin("deliveries", "deliveries.event_id", "events.event_id")
      .innerJoin("outbox", "outbox.event_id", "events.event_id")
      .select(["type", "data", "group_name"])
      .where("events.event_id", "=", notice?.event_id ?? "")
      .execute();
    expect(logged).toEqual([{ type: USER_SIGNUP_REPEATED, data: notice?.data, group_name: "notice-email" }]);
    const users = await database.db.selectFrom("users").select("id").where("email_key", "=", user.email).execute();
    expect(users).toEqual([{ id: user.id }]);
  });

  test("says that a name is taken, also by the same signup before it, whoever has the address", async () => {
    const { app } = aPrivateApp();
    const user = await aUser(app);
    for (const body of [aBody({ email: user.email }), aBody()]) {
      const named = await app.fetch(postSignup({ ...body, user_name: user.user_name }));
      expect([named.status, (await named.json()).code]).toEqual([400, "user_name_taken"]);
      expect((await app.fetch(postSignup(body))).status).toBe(201);
      for (const again of [body, aBody({ user_name: body.user_name.toUpperCase() })]) {
        const taken = await app.fetch(postSignup(again));
        expect([taken.status, (await taken.json()).code]).toEqual([400, "user_name_taken"]);
      }
    }
  });

  test("gives a name once, also to two at the same time of whom one has a known address, in one process or two", async () => {
    const [one, two] = [aPrivateApp(), aPrivateApp()];
    const user = await aUser(one.app);
    for (const other of [one, two]) {
      const pairs = Array.from({ length: 20 }, () => aBody());
      const answers = await Promise.all(
        pairs.map((body, index) => {
          const asked = [one.app.fetch(postSignup({ ...body, email: user.email })), other.app.fetch(postSignup(body))];
          return Promise.all(index % 2 === 0 ? asked : asked.toReversed());
        }),
      );
      const statuses = answers.map((pair) => pair.map(({ status }) => status).toSorted());
      expect(statuses).toEqual(Array(20).fill([201, 400]));
    }
  });

  test("holds a name until the user who has its address is erased, and no longer", async () => {
    const { app } = aPrivateApp();
    const user = await aUser(app);
    const repeated = aBody({ email: user.email });
    expect((await app.fetch(postSignup(repeated))).status).toBe(201);
    const takes = async ({ user_name }: { user_name: string }) =>
      (await app.fetch(postSignup(aBody({ user_name })))).status;
    expect([await takes(user), await takes(repeated)]).toEqual([400, 400]);
    await eraseUser(database.db, user.id);
    expect(
      await database.db.selectFrom("held_names").select("name_hash").where("user_id", "=", user.id).execute(),
    ).toEqual([]);
    expect([await takes(user), await takes(repeated)]).toEqual([201, 201]);
    // Whoever lost the race for an address, and died then, holds a name for nobody.
    const abandoned = aBody();
    const name_hash = createHash("sha256").update(nameKey(abandoned.user_name)).digest();
    await database.db.insertInto("held_names").values({ name_hash, user_id: Bun.randomUUIDv7() }).execute();
    expect([await takes(abandoned), await takes(abandoned)]).toEqual([201, 400]);
  });

  test("is answered the same again under its Idempotency-Key, and refuses another body under it", async () => {
    const { app, committed } = aPrivateApp();
    const user = await aUser(app);
    for (const body of [aBody({ email: user.email }), aBody()]) {
      const before = committed.length;
      const headers = { "Idempotency-Key": randomHex(8) };
      const first = await app.fetch(postSignup(body, headers));
      const again = await app.fetch(postSignup(body, headers));
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      expect(await again.text()).toBe(await first.text());
      expect(committed).toHaveLength(before + 1);
      const other = await app.fetch(postSignup({ ...body, password: "mật khẩu khác hẳn" }, headers));
      expect((await other.json()).code).toBe("idempotency_key_reused");
    }
  });

  test("sends at most one mail an hour to an address, the welcome mail included", async () => {
    const { app, notices } = aPrivateApp();
    const notifies = () => notices().map(({ data }) => userSignupRepeatedSchema.parse(data).notify);
    const user = await aUser(app);
    const signUpAgain = (email: string) => app.fetch(postSignup(aBody({ email })));
    expect((await Promise.all([1, 2, 3].map(() => signUpAgain(user.email)))).map(({ status }) => status)).toEqual([
      201, 201, 201,
    ]);
    await signUpAgain(user.email);
    expect(notifies().toSorted()).toEqual([false, false, false, true]);
    const stranger = aBody();
    await app.fetch(postSignup(stranger));
    await signUpAgain(stranger.email);
    expect(notifies().at(-1)).toBe(false);
    await database.db
      .updateTable("repeated_signups")
      .set({ created_at: new Date(Date.now() - 3_700_000) })
      .execute();
    await signUpAgain(user.email);
    expect(notifies().at(-1)).toBe(true);
  });

  test("of many at once with one new address makes one user, and answers all alike", async () => {
    const { app, committed, notices } = aPrivateApp();
    const { email } = aBody();
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.fetch(postSignup(aBody({ email })))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect([committed.length, notices().length]).toEqual([20, 19]);
    const users = await database.db.selectFrom("users").select("id").where("email", "=", email).execute();
    expect(users).toHaveLength(1);
  });
});
