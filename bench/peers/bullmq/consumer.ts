import { Worker } from "bullmq";
import { createTransport } from "nodemailer";
import { connection, queueName, type Welcome } from "./shared.ts";

/** Mails as a user of BullMQ sends them: a pool of connections, and as many jobs at a time. */
const concurrency = Number(process.env["CONSUMER_CONCURRENCY"]);
const transport = createTransport({
  pool: true,
  host: process.env["MAIL_SERVER"],
  port: Number(process.env["MAIL_PORT"]),
  maxConnections: concurrency,
  maxMessages: Number.POSITIVE_INFINITY,
});

const worker = new Worker<Welcome>(
  queueName,
  async ({ data }) => {
    await transport.sendMail({
      from: "welcome@toblug.example",
      to: data.email,
      subject: `Welcome, ${data.name}`,
      text: `Hello ${data.name},\n\n${"Welcome to toblug. ".repeat(20)}`,
      html: `<h1>Hello ${data.name}</h1><p>${"Welcome to toblug. ".repeat(20)}</p>`,
    });
  },
  { connection, concurrency },
);
worker.on("error", (error) => console.error(error));
