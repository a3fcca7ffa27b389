// What a plain object or list cannot say of the JSON text that it was read from.
const memories = new WeakMap();
export function remember(container, memory) {
    memories.set(container, memory);
}
export function recall(container) {
    return memories.get(container);
}
