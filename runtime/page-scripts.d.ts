/** Scripts for the browser are imported as text: `import script from "./scripts/now.min.js" with { type: "text" }`. */
declare module "*.min.js" {
  const script: string;
  export default script;
}

declare module "uplot/dist/uPlot.min.css" {
  const style: string;
  export default style;
}
