// What a plain object or list cannot say of the JSON text that it was read from.

/** How a number was written, with its value, so that a number that has been replaced is told from it. */
export type Written = { value: number; text: string };

/** What is remembered of one object or list. */
export type Memory = {
  /** The keys in their order, where JavaScript has another: it puts those that look like indices first. */
  keys?: string[];
  /** By key or index: numbers that JavaScript would write in another way, such as `1.0`. */
  numbers?: Map<string | number, Written>;
  /** Keys that stand there twice. */
  repeated?: Set<string>;
  /** Somewhere within is half a surrogate pair. */
  hasHalves?: boolean;
};

const memories = new WeakMap<object, Memory>();

export function remember(container: object, memory: Memory): void {
  memories.set(container, memory);
}

export function recall(container: object): Memory | undefined {
  return memories.get(container);
}

/** How a number of a list or object was written, if it is still there and JavaScript would write it in another way. */
export function writtenAs(memory: Memory | undefined, key: string | number, value: unknown): string | undefined {
  const written = memory?.numbers?.get(key);
  return written && Object.is(written.value, value) ? written.text : undefined;
}
