// Makes a CRM contact of a lead from a web form. Start at `map`.

import { Fault, mapper, shape } from "@weir/sdk";

/** People leave fields of a form empty, so a missing one counts as empty. */
const field = shape.withDefault(shape.text(), "");

const Lead = shape.object({
  email: field,
  name: field,
  first_name: field,
  last_name: field,
  company: field,
  phone: field,
  budget: shape.optional(shape.asWritten()),
  message: field,
});

/** What the flow may choose. */
const Options = shape.object({ source: shape.withDefault(shape.text(), "web form") }, "refuse");

// White space as Unicode has it. That of JavaScript, `\s` and `trim`, counts U+FEFF and not U+0085.
const SPACE = /^\p{White_Space}$/u;
const SPACES = /\p{White_Space}+/gu;
const NO_SPACE = /\P{White_Space}/u;

/** @param {import("@weir/sdk").Mapping<import("@weir/sdk").Infer<typeof Lead>, import("@weir/sdk").Infer<typeof Options>>} mapping */
function map({ input: lead, options }) {
  const email = readEmail(lead.email);
  const parts = words(`${lead.first_name} ${lead.last_name}`);
  return {
    email,
    // A contact needs some name; who gives none is known by the address.
    name: words(lead.name) ?? parts ?? email,
    company: words(lead.company),
    phone: readPhone(lead.phone),
    budget: lead.budget,
    note: trim(lead.message) || undefined,
    source: options.source,
  };
}

/**
 * The address in lower case: people write their own in many ways, and the CRM knows a contact by it. Letters beyond ASCII
 * stay as they are: what is the same address to a mail server is known of ASCII alone.
 *
 * @param {string} text
 */
function readEmail(text) {
  const email = trim(text).replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const [name, host = "", ...more] = email.split("@");
  const labels = host.split(".");
  const isAddress =
    name !== "" && more.length === 0 && labels.length > 1 && !labels.includes("") && email.search(SPACES) < 0;
  if (isAddress) return email;
  const message = email === "" ? "is missing" : "is not an e-mail address";
  throw Fault.invalidInput("the lead has no address to write to").withCode("email").field("/email", message);
}

/**
 * The digits, with the plus of an international number; none if too few are left to be a number.
 *
 * @param {string} text
 */
function readPhone(text) {
  const digits = text.replaceAll(/[^0-9]/g, "");
  const plus = trim(text).startsWith("+") ? "+" : "";
  return digits.length >= 5 ? plus + digits : undefined;
}

/**
 * The words with single spaces between them; none if there are none.
 *
 * @param {string} text
 */
function words(text) {
  return trim(text.replace(SPACES, " ")) || undefined;
}

/**
 * The text without white space at its ends. A pattern for both ends would be tried at each character between them.
 *
 * @param {string} text
 */
function trim(text) {
  const start = text.search(NO_SPACE);
  let end = text.length;
  while (start >= 0 && SPACE.test(text.charAt(end - 1))) end -= 1;
  return start < 0 ? "" : text.slice(start, end);
}

export default mapper(map, { input: Lead, options: Options });
