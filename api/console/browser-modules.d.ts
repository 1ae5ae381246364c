/** Scripts for the browser are imported as text: `import source from "./browser/now.browser.js" with { type: "text" }`. */
declare module "*.browser.js" {
  const source: string;
  export default source;
}

declare module "uplot/dist/uPlot.iife.min.js" {
  const source: string;
  export default source;
}

declare module "uplot/dist/uPlot.min.css" {
  const source: string;
  export default source;
}
