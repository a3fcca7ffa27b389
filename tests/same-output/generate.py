"""Writes `events.jsonl`: leads for the lead mapper of every language, one a line, which must all give the same.

A line is `{"name", "content_type", "options", "data"}`, where `data` is the text of the event's payload, so that it can
also be what is no JSON, and the same bytes reach every language; numbers are text here, so that nothing of them is lost
either. `expected.jsonl` holds what the mapper in Rust gives: the documents as text, or kind, code and pointers of the
fault, whose words are each language's own. It is written by `UPDATE_EXPECT=1 cargo test --workspace --test same_output`.
The seed is fixed: the same program writes the same file.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

SEED = 20261126
RANDOM = random.Random(SEED)

NAMES = ["email", "name", "first_name", "last_name", "company", "phone", "message"]

# Every character of Unicode's White_Space, the four separators that only some languages count in, and what looks like it.
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u2007\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
NEARLY_SPACES = "\x1c\x1d\x1e\x1f\u180e\u200b\u200d\u2060\ufeff\x00"

WORDS = [
    "Ada",
    "Lovelace",
    "Müller",
    "Mu\u0308ller",
    "Ζωή",
    "ΟΔΥΣΣΕΥΣ",
    "Σ",
    "İstanbul",
    "Straẞe",
    "Ǆungla",
    "ﬃ",
    "山田",
    "太郎",
    "محمد",
    "שלום",
    "नमस्ते",
    "👩\u200d👩\u200d👧",
    "🇩🇪",
    "𝒜𝒹𝒶",
    "𐐀𐐁",
    "e\u0301\u0301\u0301",
    "\u202eadA",
    "O'Brien",
    '"quoted"',
    "back\\slash",
    "<b>",
    "a\u0000b",
    "tab\tbed",
    "\u007f",
    "\ufffd",
    "\U0010ffff",
]

NUMBERS = [
    "0",
    "-0",
    "1",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "0.1",
    "1.10",
    "12345678901234567890.123456789",
    "1e5",
    "1E+5",
    "1e-7",
    "-0.0",
    "5e-324",
    "1e308",
]

# Numbers that a contact carries as they are written here.
BUDGETS = [
    *NUMBERS,
    *["7", "100", "-5", "10000000000000000", "9007199254740991", "-9007199254740993", "1000000000000000000000"],
    *["-123456789012345678901234567890.10", "12345678901234567890.123456789012345678901234567890"],
    *["0.30000000000000004", "0.30000000000000000"],
    *["0.1000000000000000055511151231257827021181583404541015625", "0.000000000000000000000000000001", "0.0000001"],
    *["1.0", "19.90", "100.00", "-1.50", "0.0", "0.00", "0e0", "-0e0", "-0E-0", "0E+00", "-0.00e5"],
    *["1e0", "1E00", "1e2", "1E+02", "12.50E2", "1.10e-05", "1e21", "1e+21", "1E-7", "1e-07", "1E23"],
    *["1.7976931348623157e308", "1.7976931348623159e308", "1E400", "-1e400", "2.4e-324", "1e-400", "-1E-400"],
    *["1e999999999999999999999", "-1E-999999999999999999999", "0e999999999999999999999"],
    *["9" * 400, "1" + "0" * 400, "9" * 5000, "0." + "3" * 400, "0." + "0" * 400 + "1", "1" * 400 + "." + "1" * 400],
]

Line = tuple[str, str]


def text(value: object) -> str:
    return json.dumps(value, ensure_ascii=RANDOM.random() < 0.3)


def written(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


def lead(**members: object) -> str:
    return written([(name, text(value)) for name, value in members.items()])


def phrases() -> str:
    count = RANDOM.randint(0, 4)
    gaps = [RANDOM.choice(SPACES) * RANDOM.randint(0, 2) for _ in range(count + 1)]
    return "".join(gap + RANDOM.choice(WORDS) for gap, _ in zip(gaps, range(count), strict=False)) + gaps[-1]


def ordinary() -> Iterator[Line]:
    yield "the least", lead(email="ada@example.com")
    yield (
        "all",
        lead(
            email="ada@example.com",
            name="Ada Lovelace",
            first_name="A",
            last_name="L",
            company="Engines",
            phone="+44 20 7946 0000",
            message="Call me",
        ),
    )
    yield "parts of a name", lead(email="ada@example.com", first_name="Ada", last_name="Lovelace")
    yield "unknown fields", lead(email="ada@example.com", utm_source="x", nested={"email": "other@example.com"})
    yield "spaces between", '\r\n\t { "email" : "ada@example.com" , "name" :\n"Ada" } \n'


def addresses() -> Iterator[Line]:
    for address in [
        *["", " ", "ada", "@", "@example.com", "ada@", "ada@example", "ada@example.", "ada@.example", "ada@b..c"],
        *["a@b@c.d", "a b@c.d", "a@b c.d", "a\u00a0@b.c", "a\u200b@b.c", "a\x1f@b.c", "a\x85@b.c", "a@b.c\x1c"],
        *["ADA@EXAMPLE.COM", " ada@example.com\u3000", "ö@müller.example", "Ω@ΟΔΥΣΣΕΥΣ.example", "İ@İ.example"],
        *["ΑΣ@ΑΣ.ΑΣ", "ΑΣ.ΑΣ@b.c", "ẞ@ẞ.de", "Ǆ@b.c", "K@Å.example", "𐐀@𐐁.example", "a@b.c.d.e.f", "'@b.c", '"@b.c'],
        *["ada@example.com\x00", "\ufeffada@example.com", "ada@example。com", "ada＠example.com", "a" * 4000 + "@b.c"],
    ]:
        yield f"address {address[:24]!r}", lead(email=address)


def spaces() -> Iterator[Line]:
    for mark in SPACES + NEARLY_SPACES:
        yield (
            f"U+{ord(mark):04X}",
            lead(
                email=f"{mark}a@b.example{mark}",
                name=f"{mark}Ada{mark}{mark}Lovelace{mark}",
                company=mark,
                phone=f"{mark}+12345{mark}",
                message=f"{mark}a{mark}{mark}b{mark}",
            ),
        )


def phones() -> Iterator[Line]:
    for number in [
        "+49 (30) 123-456",
        "1234",
        "12345",
        "++12345",
        "00 49",
        "+",
        "n/a",
        "٠١٢٣٤٥",
        "１２３４５",
        "1２3456",
        " +12345",
    ]:
        yield f"telephone {number!r}", lead(email="a@b.example", phone=number)
    yield "a long telephone", lead(email="a@b.example", phone="1" * 5000)


def missing() -> Iterator[Line]:
    yield "nothing", "{}"
    for name in NAMES:
        members = {each: "a@b.example" if each == "email" else "12345 x" for each in NAMES if each != name}
        yield f"without {name}", lead(**members)
        yield f"empty {name}", lead(**members, **{name: ""})


def wrong_types() -> Iterator[Line]:
    for value in ["null", "true", "5", "5.5", "[]", '["a@b.example"]', "{}", '{"email":"a@b.example"}']:
        yield f"the whole is {value}", value
        for name in ("email", "name"):
            others = [] if name == "email" else [("email", text("a@b.example"))]
            yield f"{name} is {value}", written([*others, (name, value)])
    yield "several wrong types", '{"phone":1,"name":null,"email":5}'
    yield "several wrong types in another order", '{"email":[],"phone":1,"name":null}'
    yield "the whole is a string", text("a@b.example")


def numbers() -> Iterator[Line]:
    for number in [*NUMBERS, "1e400", "-1E-400", "9" * 400, "0." + "3" * 400]:
        yield f"beside {number}", written([("email", text("a@b.example")), ("amount", number)])
        yield f"message is {number}", written([("email", text("a@b.example")), ("message", number)])


def nested() -> Iterator[Line]:
    for depth in (1, 10, 30, 60):
        yield f"{depth} lists", written([("email", text("a@b.example")), ("extra", "[" * depth + "]" * depth)])
        objects = '{"a":' * depth + "1" + "}" * depth
        yield f"{depth} objects", written([("extra", objects), ("email", text("a@b.example"))])
    # Weir reads 127 levels, the outermost object among them.
    for depth in (126, 127, 128, 5000):
        lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
        yield f"{depth} lists in an object", written([("email", text("a@b.example")), ("extra", lists)])
        yield f"{depth} objects in an object", written([("extra", objects), ("email", text("a@b.example"))])
    yield "brackets in text", lead(email="a@b.example", extra="[{" * 500, message='"[' * 200)
    yield "many members", lead(email="a@b.example", **{f"field{index}": index for index in range(500)})
    yield "a long message", lead(email="a@b.example", message="Grüße 👋 " * 4000)


def broken() -> Iterator[Line]:
    good = lead(email="a@b.example", name="Ada")
    for size in (0, 1, 2, 9, len(good) - 1):
        yield f"cut at {size}", good[:size]
    yield "something behind", good + " x"
    yield "single quotes", "{'email': 'a@b.example'}"
    yield "a comma too many", '{"email":"a@b.example",}'
    yield "a number", '{"email":"a@b.example","x":01}'
    yield "not a number", '{"email":"a@b.example","x":NaN}'
    yield "a control character", '{"email":"a@b.example","name":"a\nb"}'
    yield "an unknown escape", '{"email":"a@b.example","name":"\\x41"}'
    yield "half a pair", '{"email":"a@b.example","name":"\\ud83d"}'
    yield "the other half", '{"email":"a@b.example","name":"\\ude00"}'
    yield "halves in the wrong order", '{"email":"a@b.example","name":"\\ude00\\ud83d"}'
    yield "half a pair in an unknown field", '{"email":"a@b.example","x":"\\ud83d"}'
    yield "half a pair as an unknown key", '{"email":"a@b.example","\\ud83d":1}'
    yield "half a pair in an unknown object", '{"email":"a@b.example","x":{"\\ud83d":["\\ude00"]}}'
    yield "a wrong type and cut", '{"email":5,"x":'
    yield "twice and cut", '{"email":"a@b.example","email":"c@d.example"'
    yield "a byte order mark", "\ufeff" + good
    yield "email twice", '{"email":"a@b.example","email":"c@d.example"}'
    yield "email twice, once escaped", '{"email":"a@b.example","\\u0065mail":"c@d.example"}'
    yield (
        "email twice, far apart",
        '{"email":"a@b.example","x":{"email":1,"email":2},"y":":\\":","name":"n","email":""}',
    )
    yield "twice in an unknown field", '{"email":"a@b.example","x":[{"y":1,"y":2}]}'
    yield "an unknown field twice", '{"x":1,"email":"a@b.example","x":2}'
    yield "a pair of escapes", '{"email":"a@b.example","name":"\\ud83d\\ude00 \\u00e9\\/\\b\\f"}'
    yield "keys in escapes", '{"\\u0065mail":"a@b.example"}'


def random_leads() -> Iterator[Line]:
    for index in range(60):
        members = []
        for name in RANDOM.sample(NAMES, RANDOM.randint(1, len(NAMES))):
            value = phrases()
            if name == "email" and RANDOM.random() < 0.8:
                value = f"{RANDOM.choice(SPACES)}{RANDOM.choice(WORDS)}@{RANDOM.choice(WORDS)}.Example"
            members.append((name, text(value)))
        if RANDOM.random() < 0.5:
            members.insert(RANDOM.randint(0, len(members)), ("amount", RANDOM.choice(NUMBERS)))
        yield f"random {index}", written(members)


def budgets() -> Iterator[Line]:
    email = ("email", text("a@b.example"))
    for number in BUDGETS:
        yield f"budget {number[:60]}, {len(number)} long", written([email, ("budget", number)])
    everything = [(name, text("Ölmühle 12345 👋")) for name in NAMES if name != "email"]
    for number in ["5", "-0", "1.10", "1E400", "9007199254740993"]:
        budget = ("budget", number)
        yield f"budget {number} before all", written([budget, email, *everything, ("amount", "2.50")])
        yield f"budget {number} behind all", written([("amount", "7"), *everything, email, budget])
        yield f"budget {number} among names that are numbers", written([("10", "1"), budget, ("2", "2.50"), email])
        yield f"budget {number} beside others", written([("x", written([budget])), email, budget, ("y", f"[{number}]")])
        yield f"budget {number} beside a repeated name", written([("x", "1"), budget, email, ("x", "1.0")])
        yield f"budget {number} beside `__proto__`", written([("__proto__", "{}"), budget, email])
        yield f"budget {number} beside half a pair", written([("x", '"\\ud83d"'), budget, email])
        yield f"budget {number} between spaces", f'{{ "email" : "a@b.example" ,\r\n"budget"\t:\n {number} \t}}\n'
        yield f"budget {number} in escapes", f'{{"\\u0062udget":{number},"email":"a@b.example"}}'
        yield f"budget {number} in a text", written([email, budget, ("message", text(f'{{"budget":{number}0}}'))])
    yield "budget is null", written([email, ("budget", "null")])
    yield "budget is null, first", written([("budget", "null"), email])


def wrong_budgets() -> Iterator[Line]:
    email = ("email", text("a@b.example"))
    for value in [
        *["true", "false", '""', '"5"', '"1.10"', '"}"', '"NaN"', '"\\ud83d"'],
        *["[]", "[1.10]", "[{}]", "[[],1]", "{}", '{"amount":1.10}', '{"budget":5}', '{"a":[]}', "[[],[]]", '{"a":{"b":[]}}'],
    ]:
        yield f"budget is {value}, last", written([email, ("budget", value)])
        yield f"budget is {value}, first", written([("budget", value), email])
        yield f"budget is {value}, between spaces", f'{{"email":"a@b.example","budget": {value}\n }}\n'
    yield "budget and address are wrong", '{"budget":"5","email":5}'
    yield "address and budget are wrong", '{"email":5,"budget":"5"}'
    yield "no address and a budget", '{"budget":5}'
    yield "no address and a wrong budget", '{"budget":"5"}'
    for one, other in [("5", "5"), ("1.10", "1.1"), ("null", "5"), ("5", "null"), ("5", '"5"')]:
        yield f"budget is {one} and {other}", written([email, ("budget", one), ("budget", other)])
    for number in ["01", "-01", "1.", ".5", "+1", "-", "1e", "1e+", "1.e5", "0x10", "1_000", "1,5", "Infinity", "-NaN"]:
        yield f"budget is {number}, which is no JSON", written([email, ("budget", number)])


def random_number() -> str:
    def digits() -> str:
        return "".join(RANDOM.choices("0123456789", k=RANDOM.choice([1, 2, 9, 16, 17, 30])))

    whole = digits().lstrip("0") or "0"
    fraction = "." + digits() if RANDOM.random() < 0.6 else ""
    power = RANDOM.choice("eE") + RANDOM.choice(["", "+", "-"]) + str(RANDOM.randint(0, 400))
    return RANDOM.choice(["", "-"]) + whole + fraction + (power if RANDOM.random() < 0.4 else "")


def random_budgets() -> Iterator[Line]:
    for index in range(60):
        others = RANDOM.sample(["name", "company", "phone", "message"], RANDOM.randint(0, 4))
        members = [(name, text(phrases())) for name in others]
        members += [(name, random_number()) for name in ("budget", "amount", "7")]
        members.append(("email", text(f"{RANDOM.choice(WORDS)}@{RANDOM.choice(['b', 'Müller', '山田'])}.example")))
        RANDOM.shuffle(members)
        yield f"random budget {index}", written(members)


def options() -> Iterator[tuple[str, str, str]]:
    for chosen in [
        "",
        "{}",
        '{"source":"fair"}',
        '{"source":"Messe „Süd“ 👋"}',
        '{"source":""}',
        '{"source":"\\u0007"}',
    ]:
        yield f"options {chosen}", chosen, lead(email="a@b.example")
    for wrong in [
        '{"sorce":"fair"}',
        '{"source":5}',
        '{"source":null}',
        "[]",
        '{"source":"a","source":"b"}',
        "{",
        '"fair"',
    ]:
        yield f"wrong options {wrong}", wrong, lead(email="a@b.example")


def cases() -> Iterator[dict[str, str]]:
    yield from of_json(ordinary, addresses, spaces, phones, missing, wrong_types, numbers, nested, broken, random_leads)
    for name, chosen, data in options():
        yield {"name": name, "content_type": "application/json", "options": chosen, "data": data}
    data = lead(email="a@b.example")
    for kind in [
        "",
        "application/json; charset=utf-8",
        "Application/CloudEvents+JSON",
        "text/plain",
        "text/json",
        "application/jsonl",
    ]:
        yield {"name": f"media type {kind}", "content_type": kind, "options": "{}", "data": data}
    # Last, so that what is random in the others stays as it is.
    yield from of_json(budgets, wrong_budgets, random_budgets)


def of_json(*groups: Callable[[], Iterator[Line]]) -> Iterator[dict[str, str]]:
    for group in groups:
        for name, data in group():
            yield {"name": name, "content_type": "application/json", "options": "{}", "data": data}


def main() -> None:
    lines = [json.dumps(case) for case in cases()]
    Path(__file__).with_name("events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} events")


if __name__ == "__main__":
    main()
