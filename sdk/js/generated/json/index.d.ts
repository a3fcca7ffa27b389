export { Num } from "./num.js";
export { type Json, JsonError, parse } from "./parse.js";
export { stringify } from "./write.js";
