// Bytes to text and back. QuickJS has no `TextDecoder`, and a loop over bytes is slow there, so the work is done by what
// the language has had from the start: `escape` and `unescape` turn bytes into percent signs and back.
/**
 * The text of UTF-8.
 *
 * @throws {Error} if it is something else
 */
export function decodeUtf8(bytes) {
    if (typeof TextDecoder !== "undefined") {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    }
    const latin1 = decodeLatin1(bytes);
    return isAscii(latin1) ? latin1 : decodeURIComponent(escape(latin1));
}
/** The same, with a replacement character for each byte that is no ASCII if it is something else. */
export function decodeLoosely(bytes) {
    if (typeof TextDecoder !== "undefined")
        return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
    try {
        return decodeUtf8(bytes);
    }
    catch {
        return decodeLatin1(bytes).replaceAll(/[\x80-\xff]/g, "\ufffd");
    }
}
/** UTF-8 of a text. Half a surrogate pair, which is no text, becomes a replacement character. */
export function encodeUtf8(text) {
    if (typeof TextEncoder !== "undefined")
        return new TextEncoder().encode(text);
    const latin1 = isAscii(text) ? text : unescape(encodeURIComponent(wellFormed(text)));
    return Uint8Array.fromBase64(btoa(latin1));
}
/** The text, with half a surrogate pair replaced: no string that crosses the boundary of the sandbox may hold one. */
export function wellFormed(text) {
    return text.toWellFormed();
}
/** Whether every surrogate of a text is one of a pair. */
export function isWellFormed(text) {
    return text.isWellFormed();
}
function isAscii(text) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are ASCII too
    return !/[^\x00-\x7f]/.test(text);
}
/** A character for each byte. By way of base64, because both steps of it are the engine's own. */
function decodeLatin1(bytes) {
    return atob(bytes.toBase64());
}
