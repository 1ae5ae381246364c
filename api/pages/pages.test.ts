import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { anApp, TEST_SETTINGS } from "../app-for-tests.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  new Request(`http://127.0.0.1${path}`, { headers });

const aForm = (parts: Readonly<Record<string, string>> = {}) => {
  const name = `user-${randomHex(6)}`;
  const fields = { user_name: name, email: `${name}@example.com`, password: "một mật khẩu đủ dài", locale: "vi" };
  return new URLSearchParams({ ...fields, form_id: randomHex(16), ...parts });
};

const post = (form: URLSearchParams, headers: Readonly<Record<string, string>> = { Origin: "http://127.0.0.1" }) =>
  new Request("http://127.0.0.1/?lang=vi", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: form.toString(),
  });

test("the form is in Vietnamese, or in English when asked, and loads nothing from another origin", async () => {
  const { app } = anApp(database.db);
  const response = await app.fetch(get("/"));
  const html = await response.text();
  expect(html).toStartWith('<!DOCTYPE html><html lang="vi">');
  expect(html).toContain("<title>Tạo tài khoản · Toblug</title>");
  expect(html.match(/<script[^>]*>/g)).toEqual([
    expect.stringMatching(/^<script type="module" src="\/signup\.js\?v=\w+">$/),
  ]);
  expect(html.match(/(?:href|src|action)="[^"]*"/g)?.filter((link) => !/"(?:\/(?!\/)|#|data:)/.test(link))).toEqual([]);
  for (const attribute of ['autocomplete="username"', 'autocomplete="email"', 'autocomplete="new-password"']) {
    expect(html).toContain(attribute);
  }
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000");

  expect(await (await app.fetch(get("/", { "Accept-Language": "en" }))).text()).toContain('<html lang="en">');
  expect(await (await app.fetch(get("/?lang=en"))).text()).toContain("Create your account");
  expect(await (await app.fetch(get("/?lang=vi", { "Accept-Language": "en" }))).text()).toContain('<html lang="vi">');

  const styleHref = /href="(\/style\.css[^"]*)"/.exec(html)?.[1] ?? "";
  const style = await app.fetch(get(styleHref));
  expect(style.headers.get("content-type")).toBe("text/css; charset=utf-8");
  expect(await style.text()).toContain("prefers-color-scheme:dark");
});

test("a submitted form leads to the mail's status, which reloads until it is final", async () => {
  const { app, committed } = anApp(database.db);
  const sent = await app.fetch(post(aForm()));
  expect(sent.status).toBe(303);
  const eventId = committed[0]?.event_id ?? "";
  expect(sent.headers.get("location")).toBe(`/signups/${eventId}?lang=vi`);

  const waiting = await (await app.fetch(get(`/signups/${eventId}`))).text();
  expect(waiting).toContain('<noscript><meta http-equiv="refresh" content="2"/></noscript>');
  expect(waiting).toContain("Thư chào mừng đang chờ gửi.");
  expect(waiting).toMatch(/<time datetime="[^"]+Z">/);
  const stopped = await (await app.fetch(get(`/signups/${eventId}?updates=off`))).text();
  expect(stopped).not.toContain("http-equiv");

  await database.db.updateTable("deliveries").set({ state: "done" }).where("event_id", "=", eventId).execute();
  const final = await (await app.fetch(get(`/signups/${eventId}?lang=en`))).text();
  expect(final).not.toContain("http-equiv");
  expect(final).toContain("The welcome mail is sent");
});

test("shows where the mail goes in the browser that signed up alone, and masked", async () => {
  const { app, committed } = anApp(database.db);
  const form = aForm({ email: `hoa-${randomHex(4)}@gmail.com` });
  const sent = await app.fetch(post(form));
  const path = `/signups/${committed[0]?.event_id}`;
  const cookie = sent.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/; Max-Age=900; Path=\/signups\/[\w-]+; HttpOnly; Secure; SameSite=Lax$/);
  expect(cookie).toStartWith("__Secure-signup_to=");
  expect(cookie).toContain(`Path=${path};`);
  const pageOf = async (headers: Readonly<Record<string, string>>) => (await app.fetch(get(path, headers))).text();
  const own = await pageOf({ Cookie: cookie.split(";")[0] ?? "" });
  expect(own).toContain('<span class="address">h***@gmail.com</span>');
  expect(own).not.toContain(form.get("email"));
  expect(await pageOf({})).not.toContain("gmail.com");
  expect(await pageOf({ Cookie: "__Secure-signup_to=%3Cscript%3E***@evil.example" })).not.toContain("evil.example");
});

test("where accounts are not disclosed, says of none that it was made", async () => {
  const settings = { ...TEST_SETTINGS, SIGNUP_DISCLOSURE: "private" } as const;
  const { app, committed } = anApp(database.db, { settings });
  await app.fetch(post(aForm()));
  const eventId = committed[0]?.event_id ?? "";
  for (const state of ["queued", "done", "dead"] as const) {
    await database.db.updateTable("deliveries").set({ state }).where("event_id", "=", eventId).execute();
    const html = await (await app.fetch(get(`/signups/${eventId}?lang=en`))).text();
    expect(html).not.toMatch(/your account|welcome/i);
  }
});

test("everything that the signup page loads is under 50 kB, and may be kept", async () => {
  const { app } = anApp(database.db);
  const html = await (await app.fetch(get("/"))).text();
  const linked = [...html.matchAll(/(?:href|src)="(\/[^"]*\?v=[^"]*)"/g)].map(([, path = ""]) => path);
  const style = linked.find((path) => path.startsWith("/style.css")) ?? "";
  const fonts = [...(await (await app.fetch(get(style))).text()).matchAll(/url\((\/fonts\/[^)]*)\)/g)].map(
    ([, path = ""]) => path,
  );
  expect(fonts).toHaveLength(4);
  let bytes = Buffer.byteLength(html);
  for (const path of new Set([...linked, ...fonts])) {
    const response = await app.fetch(get(path));
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("cache-control")).toContain("immutable");
    bytes += (await response.arrayBuffer()).byteLength;
  }
  expect(bytes).toBeLessThan(50_000);
});

test("what was typed is returned escaped, the password is not returned, each fault is beside its field", async () => {
  const { app, committed } = anApp(database.db);
  const form = aForm({ user_name: '<b>Bố</b> "x"', email: '"><script>alert(1)</script>', password: "ngắn" });
  const response = await app.fetch(post(form));
  expect(response.status).toBe(422);
  const html = await response.text();
  expect(html).toContain('value="&lt;b&gt;Bố&lt;/b&gt; &quot;x&quot;"');
  expect(html).not.toContain("<script>");
  expect(html).not.toContain('value="ngắn"');
  expect(html).toContain('id="password-fault">Mật khẩu cần ít nhất 12 ký tự.');
  expect(html).toContain('aria-describedby="email-fault"');
  // Whoever reads the page by ear hears it from the title, and is where the first fault is.
  expect(html).toContain("<title>Lỗi: Tạo tài khoản · Toblug</title>");
  expect(html.match(/<input[^>]* autofocus[^>]*>/g)).toEqual([expect.stringContaining('id="email"')]);
  expect(committed).toEqual([]);
});

test("a taken name is reported beside its field; a name may contain markup", async () => {
  const { app } = anApp(database.db);
  const user_name = `<b>Bố</b> "x" ${randomHex(4)}`;
  expect((await app.fetch(post(aForm({ user_name })))).status).toBe(303);
  const html = await (await app.fetch(post(aForm({ user_name })))).text();
  expect(html).toContain('id="user_name-fault">Tên người dùng đã tồn tại.');
  expect(html).not.toContain("<b>");
});

test("a form that is submitted twice creates one user; with other contents it is a new signup", async () => {
  const { app, committed } = anApp(database.db);
  const form = aForm();
  const [first, second] = await Promise.all([app.fetch(post(form)), app.fetch(post(form))]);
  expect(second.headers.get("location")).toBe(first.headers.get("location"));
  expect(committed).toHaveLength(1);
  const changed = await app.fetch(post(aForm({ form_id: form.get("form_id") ?? "" })));
  expect(changed.status).toBe(303);
  expect(changed.headers.get("location")).not.toBe(first.headers.get("location"));
});

test("a form from another site is rejected; ours is recognised by Origin or Sec-Fetch-Site", async () => {
  const { app, committed } = anApp(database.db);
  for (const headers of [
    {},
    { Origin: "https://evil.example" },
    { "Sec-Fetch-Site": "cross-site" },
    { Origin: "null" },
  ]) {
    const refused = await app.fetch(post(aForm(), headers as Record<string, string>));
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: "foreign_origin" });
  }
  expect(committed).toEqual([]);
  for (const headers of [{ Origin: "https://signup.example" }, { "Sec-Fetch-Site": "same-origin", Origin: "null" }]) {
    expect((await app.fetch(post(aForm(), headers as Record<string, string>))).status).toBe(303);
  }
});

test("errors are shown on the page, with their status", async () => {
  const { app } = anApp(database.db);
  const tooLarge = await app.fetch(post(aForm({ padding: "x".repeat(17_000) })));
  expect(tooLarge.status).toBe(413);
  expect(await tooLarge.text()).toContain("Nội dung vượt quá 16 KiB.");
  const otherType = await app.fetch(post(aForm(), { Origin: "http://127.0.0.1", "Content-Type": "text/plain" }));
  expect(otherType.status).toBe(415);
  const unreachable = anApp(database.db, {
    signups: {
      write: () => Promise.reject(Object.assign(new Error("gone"), { code: "ECONNREFUSED" })),
      idle: async () => {},
    },
  }).app;
  const form = aForm();
  const response = await unreachable.fetch(post(form));
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
  const html = await response.text();
  expect(html).toContain(`value="${form.get("email")}"`);
  // The answer to the statement may have been lost: whoever presses the button again is the same person, not a second one with the same address.
  expect(html).toContain(`name="form_id" value="${form.get("form_id")}"`);
});

test("unknown signups and problem types are 404; known types are explained", async () => {
  const { app } = anApp(database.db);
  for (const path of [`/signups/${Bun.randomUUIDv7()}`, "/signups/nonsense"]) {
    const response = await app.fetch(get(path));
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("Không tìm thấy sự kiện có mã này.");
  }
  expect(await (await app.fetch(get("/problems/email_taken?lang=en"))).text()).toContain(
    "This email is already registered.",
  );
  expect(await (await app.fetch(get("/problems/too_busy?lang=en"))).text()).toContain("Nothing was made. Repeat");
  expect((await app.fetch(get("/problems/constructor"))).status).toBe(404);
});

test("a problem is headed in the language of its page, also at an address that nobody serves", async () => {
  const { app } = anApp(database.db);
  const textOf = async (path: string) =>
    (await app.fetch(get(path, { Accept: "text/html", "Accept-Language": "en" }))).text();
  expect(await textOf("/nowhere?lang=vi")).toContain("<h1>Không tìm thấy</h1>");
  expect(await textOf("/nowhere")).toContain("<h1>Not found</h1>");
  expect(await textOf("/problems/too_busy?lang=vi")).toContain("<h1>Lỗi 503</h1>");
  expect(await textOf("/problems/too_busy?lang=en")).toContain("<h1>503 Too busy</h1>");
});
