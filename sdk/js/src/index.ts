// What plugins for Weir are written with in JavaScript and TypeScript. Knows the contract and nothing of Weir's inside.
// Start at `mapper` or `connector`.

export type { Act, Call, Connector, ConnectorFunctions, Context, Identity, ReceiptMore, Verify } from "./connector.js";
export { connector, Receipt, Settlement, taking } from "./connector.js";
export { Document, Documents } from "./document.js";
export type { FaultKind, FieldFault } from "./fault.js";
export { Fault } from "./fault.js";
export type { FetchResponse } from "./fetch.js";
export { BASE_URL, checkFetched } from "./fetch.js";
export type { Auth, HttpFaultKind, Request, RequestOptions } from "./http.js";
export { encode, Http, HttpError, Response } from "./http.js";
export type { Json } from "./json/index.js";
export * as json from "./json/index.js";
export type { Fields } from "./log.js";
export { log } from "./log.js";
export type { Mapper, MapperShapes, Mapping, Origin } from "./mapper.js";
export { mapper } from "./mapper.js";
export type { Infer, Shape } from "./shape.js";
export * as shape from "./shape.js";
