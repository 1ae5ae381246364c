import { Logger, run } from "graphile-worker";
import { createTransport } from "nodemailer";

/** Mails from a queue in Postgres: jobs are fetched and completed in batches, as its manual advises for throughput. */
const concurrency = Number(process.env["CONSUMER_CONCURRENCY"]);
const transport = createTransport({
  pool: true,
  host: process.env["MAIL_SERVER"],
  port: Number(process.env["MAIL_PORT"]),
  maxConnections: concurrency,
  maxMessages: Number.POSITIVE_INFINITY,
});

await run({
  connectionString: process.env["DATABASE_URL"] ?? "",
  logger: new Logger(() => () => {}),
  maxPoolSize: 10,
  preset: {
    worker: {
      concurrentJobs: concurrency,
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      localQueue: { size: 500 },
    },
  },
  taskList: {
    welcome: async ({ name, email }: { readonly name: string; readonly email: string }) => {
      await transport.sendMail({
        from: "welcome@toblug.example",
        to: email,
        subject: `Welcome, ${name}`,
        text: `Hello ${name},\n\n${"Welcome to toblug. ".repeat(20)}`,
        html: `<h1>Hello ${name}</h1><p>${"Welcome to toblug. ".repeat(20)}</p>`,
      });
    },
  },
});
