/** The digest of an image, read from its registry. */
export type ReadDigest = (image: string) => Promise<string>;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Asks the registry by the Docker CLI, which has the person's login. The digest is that of the index: it holds every
 * architecture.
 *
 * @throws an error with what the CLI said
 */
export const readDigest: ReadDigest = async (image) => {
  const command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"];
  const asked = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [answer, complaint] = await Promise.all([new Response(asked.stdout).text(), new Response(asked.stderr).text()]);
  const digest = answer.trim();
  if ((await asked.exited) !== 0) throw new Error(`no digest of ${image}: ${complaint.trim()}`);
  if (!DIGEST.test(digest)) throw new Error(`no digest of ${image}: ${JSON.stringify(digest)} is none`);
  return digest;
};
