// What the targets of this library have beside what its `lib` says.

interface String {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}

interface Uint8Array {
  toBase64(): string;
}
