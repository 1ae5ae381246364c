import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "..", "..", "..");

export interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The stages of a Dockerfile, each with its instructions; FROM is the first. */
export const stagesOf = (text: string): readonly (readonly Instruction[])[] => {
  const lines = text
    .split("\n")
    .filter((line) => !line.startsWith("#") && line.trim() !== "")
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [name = "", ...rest] = line.split(" ");
    if (name === "FROM") stages.push([]);
    stages.at(-1)?.push({ name, value: rest.join(" ") });
  }
  return stages;
};

export const dockerfile = (): readonly (readonly Instruction[])[] =>
  stagesOf(readFileSync(join(root, "Dockerfile"), "utf8"));

/** The values of an instruction in a stage. */
export const valuesOf = (stage: readonly Instruction[], name: string): readonly string[] =>
  stage.filter((instruction) => instruction.name === name).map(({ value }) => value);
