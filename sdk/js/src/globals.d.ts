// What the targets of this library have beside what its `lib` says.

interface String {
  toWellFormed(): string;
}

interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}
