// What plugins for Weir are written with in JavaScript and TypeScript. Knows the contract and nothing of Weir's inside.
// Start at `mapper` or `connector`.
export { connector, Receipt, Settlement, taking } from "./connector.js";
export { Document, Documents } from "./document.js";
export { Fault } from "./fault.js";
export { BASE_URL, checkFetched } from "./fetch.js";
export { encode, Http, HttpError, Response } from "./http.js";
export * as json from "./json/index.js";
export { log } from "./log.js";
export { mapper } from "./mapper.js";
export * as shape from "./shape.js";
