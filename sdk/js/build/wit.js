// Reads as much of WIT as the contract is written in: records, enums, variants and functions with their comments.

/** @typedef {{ name: string, type: string, docs: string[] }} Field */
/** @typedef {{ kind: "record" | "enum" | "variant", name: string, docs: string[], fields: Field[] }} Type */
/** @typedef {{ name: string, docs: string[], parameters: Field[], result: string }} Func */
/** @typedef {{ name: string, docs: string[], types: Type[], functions: Func[] }} Interface */

const NAME = "[a-z][a-z0-9-]*";

/**
 * The interfaces of a WIT file. Worlds are passed over: which roles a component exports is said by its manifest.
 *
 * @param {string} text
 * @returns {Interface[]}
 */
export function readWit(text) {
  /** @type {Interface[]} */
  const interfaces = [];
  /** @type {string[]} */
  let docs = [];
  /** @type {Interface | undefined} */
  let inside;
  /** @type {Type | undefined} */
  let type;
  for (const [index, line] of text.split("\n").entries()) {
    const code = line.trim();
    const comment = code.match(/^\/\/\/ ?(.*)$/);
    if (comment) {
      docs.push(comment[1] ?? "");
      continue;
    }
    const taken = docs;
    docs = [];
    const opened = code.match(new RegExp(`^(interface|record|enum|variant|world) (${NAME}) \\{$`));
    if (opened) {
      const [, kind, name = ""] = opened;
      if (kind === "interface") {
        inside = { name, docs: taken, types: [], functions: [] };
        interfaces.push(inside);
      } else if (kind !== "world" && inside) {
        const known = /** @type {Type["kind"]} */ (kind);
        type = { kind: known, name, docs: taken, fields: [] };
        inside.types.push(type);
      }
    } else if (code === "}") {
      if (type) type = undefined;
      else inside = undefined;
    } else if (inside && code !== "" && !code.startsWith("use ")) {
      readItem(inside, type, code, taken, index + 1);
    }
  }
  return interfaces;
}

/**
 * @param {Interface} inside
 * @param {Type | undefined} type
 * @param {string} code
 * @param {string[]} docs
 * @param {number} line
 */
function readItem(inside, type, code, docs, line) {
  const func = code.match(new RegExp(`^(${NAME}): func\\((.*)\\)(?: -> (.+))?;$`));
  const field = code.match(new RegExp(`^(${NAME})(?:: (.+)|\\((.+)\\))?,$`));
  if (!type && func) {
    const [, name = "", parameters = "", result = ""] = func;
    const read = split(parameters).map((parameter) => {
      const [name = "", type = ""] = parameter.split(/: (.*)/);
      return { name, type, docs: [] };
    });
    inside.functions.push({ name, docs, parameters: read, result });
  } else if (type && field) {
    type.fields.push({ name: field[1] ?? "", type: field[2] ?? field[3] ?? "", docs });
  } else {
    throw new Error(`weir.wit:${line}: cannot read \`${code}\``);
  }
}

/**
 * Splits at the commas that stand in no brackets.
 *
 * @param {string} list
 * @returns {string[]}
 */
export function split(list) {
  /** @type {string[]} */
  const parts = [];
  let depth = 0;
  let part = "";
  for (const character of list) {
    if (character === "<") depth += 1;
    if (character === ">") depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else {
      part += character;
    }
  }
  return part.trim() === "" ? parts : [...parts, part.trim()];
}
