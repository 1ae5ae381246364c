import { expect, test } from "bun:test";
import { Hono } from "hono";
import { createRouter } from "./router.ts";

test("what is remembered of a path is its own, by method, with its own parameters", async () => {
  const app = new Hono({ router: createRouter() });
  app.get("/user/resend", (c) => c.text("resend"));
  app.post("/user/:id", (c) => c.text(`posted ${c.req.param("id")}`));
  app.get("/user/:id", (c) => c.text(c.req.param("id")));
  const long = "x".repeat(100);
  for (let time = 0; time < 2; time += 1) {
    for (const [method, path, text] of [
      ["GET", "/user/resend", "resend"],
      ["GET", "/user/1", "1"],
      ["POST", "/user/1", "posted 1"],
      ["GET", "/user/2%2F3", "2/3"],
      ["GET", `/user/${long}`, long],
      ["GET", "/nowhere", "404 Not Found"],
    ] as const) {
      expect(await (await app.request(path, { method })).text()).toBe(text);
    }
  }
});
