/** Lua scripts are imported as text: `import source from "./retry.lua" with { type: "text" }`. */
declare module "*.lua" {
  const source: string;
  export default source;
}
