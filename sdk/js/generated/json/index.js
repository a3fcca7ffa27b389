export { Num } from "./num.js";
export { JsonError, parse } from "./parse.js";
export { stringify } from "./write.js";
