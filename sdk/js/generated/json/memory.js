// What a plain object or list cannot say of the JSON text that it was read from.
const memories = new WeakMap();
export function remember(container, memory) {
    memories.set(container, memory);
}
export function recall(container) {
    return memories.get(container);
}
/** How a number of a list or object was written, if it is still there and JavaScript would write it in another way. */
export function writtenAs(memory, key, value) {
    const written = memory?.numbers?.get(key);
    return written && Object.is(written.value, value) ? written.text : undefined;
}
