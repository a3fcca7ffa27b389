import type { Level, LogInterface } from "./generated/contract.js";
import { wellFormed } from "./utf8.js";

/** What a line says beside its message. */
export type Fields = Record<string, unknown>;

declare const console: { error(line: string): void };

let host: Pick<LogInterface, "write"> = {
  // In native tests the lines go to the standard error stream.
  write: (level, message, fields) =>
    console.error(`${level}: ${message} ${fields.map((pair) => pair.join("=")).join(" ")}`),
};

/** Lines go there from now on. */
export function setHost(log: Pick<LogInterface, "write">): void {
  host = log;
}

function write(level: Level, message: string, fields: Fields = {}): void {
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [
    wellFormed(name),
    wellFormed(String(value)),
  ]);
  host.write(level, wellFormed(message), pairs);
}

/** Lines for whoever looks at the execution. Never log personal data, whole payloads, or anything secret. */
export const log = {
  /** A line for the plugin's author. */
  debug: (message: string, fields?: Fields): void => write("debug", message, fields),
  /** A line for whoever looks at the execution. */
  info: (message: string, fields?: Fields): void => write("info", message, fields),
  /** A line about something that is off, while the call goes on. */
  warn: (message: string, fields?: Fields): void => write("warn", message, fields),
  /** A line about something that failed. */
  error: (message: string, fields?: Fields): void => write("error", message, fields),
};
